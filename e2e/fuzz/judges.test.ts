// Each judge of the fuzz says what is wrong when something is: faults planted on purpose.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configGet, pluginList } from '@majordomus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Accounts } from './accounts.ts';
import { refusalProblem, replyProblem, codesOf } from './judges.ts';
import { growth, measure, settling } from './memory.ts';
import { changed, placesIn } from './outside.ts';

describe('the judge of replies', () => {
  const refusal = (code: unknown, reason: unknown): string | undefined => replyProblem({ action: 'config.result', data: { status: false, code, reason } }, configGet);

  it('takes a refusal with a code of the contract or of the bus, and words for a person', () => {
    expect(refusal('CONFIG_NOT_FOUND', 'limit of diskfree on igor is not set')).toBeUndefined();
    expect(refusal('INVALID_DATA', 'host: is missing')).toBeUndefined();
  });

  it.each<[string, unknown, unknown, RegExp]>([
    ['no code', undefined, 'no', /no code/],
    ['an empty code', '', 'no', /no code/],
    ['INTERNAL', 'INTERNAL', 'config.get failed unexpectedly', /INTERNAL/],
    ['a code that nobody knows', 'WRONG', 'no', /of no contract/],
    ['a code of another action', 'PLUGIN_NOT_FOUND', 'no', /of no contract/],
    ['no reason', 'INVALID_DATA', '', /no reason/],
    ['a reason that is no text', 'INVALID_DATA', {}, /no reason/],
    ['a stack', 'INVALID_DATA', 'it failed\n    at readFile (/src/x.ts:1:2)', /words of the program/],
    ['the text of an exception', 'INVALID_DATA', "Cannot read properties of undefined (reading 'x')", /words of the program/],
    ['a class of the program', 'STORAGE_ERROR', 'SqliteError: no such column', /words of the program/],
    ['words of zod', 'INVALID_DATA', 'host: Invalid input', /words of the program/],
    ['an object as text', 'INVALID_DATA', 'host [object Object] is not known', /words of the program/],
    ['a traceback of Python', 'INVALID_DATA', 'Traceback (most recent call last):', /words of the program/],
  ])('does not take %s', (_what, code, reason, why) => {
    expect(refusal(code, reason)).toMatch(why);
  });

  it('does not take a reply that is neither good nor refused, is another action’s, or does not fit its contract', () => {
    const good = { host: 'igor', plugin: 'diskfree', key: 'limit', value: 90 };
    expect(replyProblem({ action: 'config.result', data: { status: true, reason: '', ...good } }, configGet)).toBeUndefined();
    expect(replyProblem({ action: 'config.result', data: { status: 'yes', ...good } }, configGet)).toMatch(/status/);
    expect(replyProblem({ action: 'plugin.result', data: { status: true, ...good } }, configGet)).toMatch(/action is plugin.result/);
    expect(replyProblem({ action: pluginList.reply, data: { status: true, reason: '', plugins: 1 } }, pluginList)).toMatch(/does not fit its contract: plugins/);
    expect(refusalProblem({ code: 'CONFIG_NOT_FOUND', reason: 'x' }, codesOf(undefined))).toMatch(/of no contract/);
  });
});

describe('the judge of answers', () => {
  it('is settled when each request has one, in any order', () => {
    const accounts = new Accounts();
    for (const key of ['a', 'b', 'b']) accounts.owe(key);
    for (const key of ['b', 'a']) accounts.answered(key);
    expect([accounts.isSettled, accounts.problem, accounts.missing]).toEqual([false, undefined, '1 requests have no answer, the first is b']);
    accounts.answered('b');
    expect([accounts.isSettled, accounts.problem]).toEqual([true, undefined]);
  });

  it('sees a second answer, and one that was not asked for', () => {
    const twice = new Accounts();
    twice.owe('a');
    twice.answered('a');
    twice.answered('a');
    expect(twice.problem).toMatch(/not asked for, or a second one, to a$/);
    const unasked = new Accounts();
    unasked.answered('x');
    expect(unasked.problem).toMatch(/to x$/);
  });

  it('allows one answer to what was cancelled, and none', () => {
    const accounts = new Accounts();
    for (const key of ['a', 'b']) accounts.owe(key);
    accounts.releaseWhere((key) => key === 'a');
    expect(accounts.isSettled).toBe(false);
    accounts.answered('a');
    accounts.answered('b');
    expect([accounts.isSettled, accounts.problem]).toEqual([true, undefined]);
    accounts.answered('a');
    expect(accounts.problem).toMatch(/to a$/);
  });
});

describe('the judge of memory', () => {
  it('sees a process that keeps what it is given, and not one that throws it away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'majordomus-settles-'));
    // It takes 4 KiB for each line; what the line says decides whether it keeps them.
    const program = "const kept = []; let n = 0; require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => { const some = Array.from({ length: 512 }, () => Math.random()); if (line === 'keep') kept.push(some); n += 1; if (n % 5000 === 0) console.log(n); }); console.log('ready');";
    const child = spawn(process.execPath, ['-e', program], { env: { ...process.env, ...settling(folder) }, stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const pids = { child: child.pid ?? 0 };
      const send = async (word: string): Promise<void> => {
        child.stdin.write(`${word}\n`.repeat(5000));
        await once(child.stdout, 'data');
      };
      await send('drop');
      const warm = await measure(pids, folder);
      await send('drop');
      expect(growth(warm, await measure(pids, folder))).toBeUndefined();
      await send('keep');
      expect(growth(warm, await measure(pids, folder))).toMatch(/^child \(pid \d+\) holds \d+\.\d MiB more in objects \(12\.0 MiB are allowed\)/);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });

  it('sees pages that no object stands for, as those of a native module', () => {
    const memory = { name: 'broker', pid: 1, residentBytes: 60 * 2 ** 20, heldBytes: 2 ** 20 };
    expect(growth([memory], [{ ...memory, residentBytes: 300 * 2 ** 20 }])).toMatch(/240\.0 MiB more in memory/);
    expect(growth([memory], [{ ...memory, residentBytes: 100 * 2 ** 20 }])).toBeUndefined();
  });
});

describe('the judge of what is outside the home', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'majordomus-outside-'));
    mkdirSync(join(root, 'home'));
    writeFileSync(join(root, 'passwd'), 'root');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it.each<[string, () => void, RegExp]>([
    ['a new file', () => writeFileSync(join(root, 'evil'), ''), /evil is file .* was not there/],
    ['a file with other content', () => writeFileSync(join(root, 'passwd'), 'evil'), /passwd is file/],
    ['a file with another mode', () => chmodSync(join(root, 'passwd'), 0o777), /passwd is file .*mode 777/],
    ['a link', () => symlinkSync('/etc', join(root, 'etc')), /etc is link to \/etc/],
    ['a file that is gone', () => rmSync(join(root, 'passwd')), /passwd is gone/],
  ])('sees %s', (_what, harm, told) => {
    const before = placesIn(root, [join(root, 'home')]);
    expect(changed(before, placesIn(root, [join(root, 'home')]))).toBeUndefined();
    harm();
    expect(changed(before, placesIn(root, [join(root, 'home')]))).toMatch(told);
  });

  it('lets the home change', () => {
    const before = placesIn(root, [join(root, 'home')]);
    writeFileSync(join(root, 'home', 'database'), 'x');
    expect(changed(before, placesIn(root, [join(root, 'home')]))).toBeUndefined();
  });
});
