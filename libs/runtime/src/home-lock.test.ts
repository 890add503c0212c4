import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkHomeFree, lockHolder, lockHome } from './home-lock.ts';
import { StartError } from './start-error.ts';

function temporaryHome(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'majordomus-lock-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const holder = `
  import { lockHome } from ${JSON.stringify(new URL('./home-lock.ts', import.meta.url).href)};
  globalThis.lock = lockHome(process.argv[1], 'dbmanager');
  process.stdout.write('held');
  setInterval(() => {}, 1000);
`;

describe('the lock of a home', () => {
  it('is refused to a second one, in one line that says what to do', () => {
    using home = temporaryHome();
    using _held = lockHome(home.path, 'dbmanager');
    let refusal: unknown;
    try {
      lockHome(home.path, 'dbmanager');
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(StartError);
    expect(refusal).toMatchObject({
      code: 'HOME_IN_USE',
      message: `another dbmanager runs on the home ${home.path}; stop it, or choose another home with --home or DOMUS_HOME`,
    });
  });

  it('is free again when it is given back', () => {
    using home = temporaryHome();
    for (let round = 0; round < 3; round++) lockHome(home.path, 'dbmanager')[Symbol.dispose]();
    expect(statSync(join(home.path, '.dbmanager.lock'))).toMatchObject({ size: 0, mode: 0o100600 });
  });

  it('is held although every folder of the home is deleted under its holder', () => {
    using home = temporaryHome();
    mkdirSync(join(home.path, 'run'));
    using _held = lockHome(home.path, 'dbmanager');
    for (const entry of readdirSync(home.path, { withFileTypes: true })) if (entry.isDirectory()) rmSync(join(home.path, entry.name), { recursive: true });
    expect(() => lockHome(home.path, 'dbmanager')).toThrow(expect.objectContaining({ code: 'HOME_IN_USE' }));
  });

  it('is held against other processes, and free when its holder is killed with kill -9', async () => {
    using home = temporaryHome();
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', holder, home.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => lockHome(home.path, 'dbmanager')).toThrow(expect.objectContaining({ code: 'HOME_IN_USE' }));
    if (process.platform === 'linux') expect(lockHolder(home.path, 'dbmanager')).toBe(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lockHolder(home.path, 'dbmanager')).toBeUndefined();
    lockHome(home.path, 'dbmanager')[Symbol.dispose]();
  });

  it('is looked at without being taken, and without a file for it', async () => {
    using home = temporaryHome();
    checkHomeFree(home.path, 'dbmanager');
    expect(readdirSync(home.path)).toEqual([]);
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', holder, home.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => checkHomeFree(home.path, 'dbmanager')).toThrow(expect.objectContaining({ code: 'HOME_IN_USE' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    checkHomeFree(home.path, 'dbmanager');
    using _held = lockHome(home.path, 'dbmanager');
  });

  it('on what is no file says so', () => {
    using home = temporaryHome();
    mkdirSync(join(home.path, '.dbmanager.lock'));
    expect(() => lockHome(home.path, 'dbmanager')).toThrow(expect.objectContaining({ code: 'HOME_NOT_WRITABLE' }));
  });
});

describe('a lock that is watched', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['deleted', (file: string) => rmSync(file)],
    ['deleted', (file: string) => rmSync(join(file, '..'), { recursive: true })],
    ['replaced', (file: string) => {
      writeFileSync(`${file}.new`, '');
      renameSync(`${file}.new`, file);
    }],
  ])('says once that its file was %s', (what, happens) => {
    using home = temporaryHome();
    using lock = lockHome(home.path, 'dbmanager');
    const said: unknown[] = [];
    lock.watch({ error: (text: unknown) => void said.push(text) });
    vi.advanceTimersByTime(5000);
    expect(said).toEqual([]);
    const file = join(home.path, '.dbmanager.lock');
    happens(file);
    vi.advanceTimersByTime(5000);
    expect(said).toEqual([`the lock file ${file} was ${what} under this dbmanager, so that it keeps no other one from the home any more; restart the house`]);
  });

  it('says nothing when it was given back', () => {
    using home = temporaryHome();
    const said: unknown[] = [];
    {
      using lock = lockHome(home.path, 'dbmanager');
      lock.watch({ error: (text: unknown) => void said.push(text) });
    }
    rmSync(join(home.path, '.dbmanager.lock'));
    vi.advanceTimersByTime(5000);
    expect(said).toEqual([]);
  });
});
