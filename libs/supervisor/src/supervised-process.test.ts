// Real programs as children: what they say, how they end, how they are stopped, what they print.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '@majordomus/runtime';
import { describe, expect, it, vi } from 'vitest';
import { gone, pidOf, printedPid, runs, silent, statesOf, steady, testHome } from '../test/children.ts';
import type { ProcessMemory } from './process-spec.ts';
import type { Supervisor } from './supervisor.ts';

describe('a supervised process', () => {
  it('runs when it says on file descriptor 3 that it is ready, with its facts, and is stopped', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('broker', `tell({ state: 'starting' }); tell({ state: 'ready', facts: { endpoint: 'tcp://127.0.0.1:7' } }); keepAlive(); endWithSupervisor();`));
    const states = statesOf(supervisor, 'broker');
    supervisor.start('broker');
    const status = await supervisor.ready('broker');
    expect(status).toMatchObject({ state: 'running', restarts: 0, reason: '', lastError: '' });
    expect(supervisor.facts('broker')).toEqual({ endpoint: 'tcp://127.0.0.1:7' });
    const pid = pidOf(supervisor, 'broker');
    expect(runs(pid)).toBe(true);
    expect(await supervisor.stop('broker')).toMatchObject({ state: 'stopped', pid: null });
    expect(runs(pid)).toBe(false);
    expect(states).toEqual(['starting', 'running', 'stopping', 'stopped']);
    expect(supervisor.lastEnd('broker')).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('may be a part as the runtime makes it: ready, in words, and at the end orderly', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('part', `
      const { commonSettings, parseFlags, readSettings, runPart } = await import(${JSON.stringify(import.meta.resolve('@majordomus/runtime'))});
      await runPart({
        name: 'part',
        readSettings: (args, env) => readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env }),
        start: async (settings, { signal, log, ready }) => {
          ready({ home: settings.home });
          log.info('it is up');
          const waiting = stay();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          clearInterval(waiting);
        },
      });`, { env: { ...process.env, DOMUS_HOME: home.folder } }));
    supervisor.start('part');
    expect(await supervisor.settled('part')).toMatchObject({ state: 'running' });
    expect(supervisor.facts('part')).toEqual({ home: home.folder });
    await supervisor.stop('part');
    expect(supervisor.lastEnd('part')).toEqual({ code: 0, signal: null });
    const { lines } = supervisor.logs('part', { lines: 10 });
    expect(lines[0]).toMatch(/INFO: it is up$/);
    expect(lines[1]).toMatch(/INFO: stopping \(SIGTERM\)$/);
  });

  it('is in its state since the wall time at which it came to it', async () => {
    const home = testHome();
    let wallMs = 1_795_000_000_000;
    const supervisor = await home.open({ clock: { ...systemClock, wallMs: () => wallMs } });
    supervisor.add(home.spec('disk', steady));
    wallMs += 1000;
    supervisor.start('disk');
    expect(supervisor.get('disk')).toMatchObject({ state: 'starting', sinceMs: wallMs });
    // The wall clock is set back meanwhile: nothing that is measured may notice.
    wallMs -= 3_600_000;
    expect(await supervisor.ready('disk')).toMatchObject({ sinceMs: wallMs });
    const since = wallMs;
    wallMs += 5000;
    expect(supervisor.get('disk').sinceMs).toBe(since);
  });

  it('gets the pipe, the marker, its own environment and its folder', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', `console.log(JSON.stringify([process.env.DOMUS_READY_FD, /^[0-9a-f-]{36}:disk$/.test(process.env.DOMUS_RUN), process.env.MINE, process.cwd() === ${JSON.stringify(home.folder)}]));`, { env: { PATH: process.env['PATH'], MINE: 'yes' } }));
    supervisor.start('disk');
    await supervisor.until('disk', ['backoff']);
    expect(supervisor.logs('disk', { lines: 1 }).lines).toEqual(['["3",true,"yes",true]']);
  });

  it('that does not speak is asked for on the bus, and runs when its service is there', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { registrationIntervalMs: 10 } });
    let asked = 0;
    supervisor.add(home.spec('domogik', silent, {
      isRegistered: async () => {
        asked += 1;
        if (asked === 1) throw new TypeError('no broker');
        return asked > 3;
      },
    }));
    supervisor.start('domogik');
    await supervisor.ready('domogik');
    expect(asked).toBe(4);
  });

  it('is asked for one question at a time', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { registrationIntervalMs: 5, readyLimitMs: 100 } });
    let asked = 0;
    const first = Promise.withResolvers<void>();
    supervisor.add(home.spec('domogik', silent, {
      isRegistered: () => {
        asked += 1;
        first.resolve();
        return new Promise(() => {});
      },
    }));
    supervisor.start('domogik');
    await first.promise;
    await supervisor.until('domogik', ['not-ready']);
    expect(asked).toBe(1);
  });

  it('is not ready when nothing is heard of it within the bound', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { readyLimitMs: 50 } });
    supervisor.add(home.spec('slow', silent));
    supervisor.start('slow');
    expect(await supervisor.settled('slow')).toMatchObject({ state: 'not-ready', reason: 'has not said that it is ready', pid: expect.any(Number) as number });
  });

  it('says what it waits for', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('heating', `process.on('SIGUSR2', () => tell({ state: 'ready' })); tell({ state: 'not-ready', reason: 'no gateway' }); keepAlive(); endWithSupervisor();`));
    supervisor.start('heating');
    expect(await supervisor.settled('heating')).toMatchObject({ state: 'not-ready', reason: 'no gateway' });
    process.kill(pidOf(supervisor, 'heating'), 'SIGUSR2');
    expect(await supervisor.ready('heating')).toMatchObject({ reason: '' });
  });

  it('is not disturbed by garbage on file descriptor 3', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('odd', `writeSync(3, 'hello\\n{"state":"rea'); writeSync(3, 'x'.repeat(100_000) + '\\n[1]\\n\\u0000\\n'); tell({ state: 'ready' }); keepAlive(); endWithSupervisor();`));
    supervisor.start('odd');
    expect(await supervisor.settled('odd')).toMatchObject({ state: 'running' });
  });
});

describe('a process that ends unasked', () => {
  it('is started again with pauses, then failed, then tried slowly for ever', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 5, failureLimit: 3, slowRetryMs: 20 } });
    supervisor.add(home.spec('crash', `console.error('the last words'); process.exit(3);`));
    const states = statesOf(supervisor, 'crash');
    supervisor.start('crash');
    const failed = await supervisor.until('crash', ['failed']);
    expect(failed).toMatchObject({ restarts: 2, pid: null, lastError: 'exit code 3', reason: expect.stringMatching(/^exit code 3; it ended too often/) as string });
    expect(supervisor.logs('crash', { lines: 1 }).lines).toEqual(['the last words']);
    expect(supervisor.lastEnd('crash')).toEqual({ code: 3, signal: null });
    await supervisor.until('crash', ['starting']);
    await supervisor.until('crash', ['failed']);
    await supervisor.until('crash', ['starting']);
    expect(states).toEqual(['starting', 'backoff', 'starting', 'backoff', 'starting', 'failed', 'starting', 'failed', 'starting']);
  });

  it('is whole again after a kill -9', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 5 } });
    supervisor.add(home.spec('disk', steady));
    supervisor.start('disk');
    await supervisor.ready('disk');
    const pid = pidOf(supervisor, 'disk');
    process.kill(pid, 'SIGKILL');
    expect(await supervisor.until('disk', ['backoff'])).toMatchObject({ lastError: 'killed by SIGKILL' });
    expect(await supervisor.ready('disk')).toMatchObject({ restarts: 1, lastError: 'killed by SIGKILL' });
    expect(supervisor.get('disk').pid).not.toBe(pid);
  });

  it.each([
    ['a program that is not there', { command: ['/nowhere/program'] }, 'could not be spawned: ENOENT: there is no program "/nowhere/program" that can be run'],
    ['a program that is not on the path', { command: ['no-such-program-of-ours'] }, 'could not be spawned: ENOENT: there is no program "no-such-program-of-ours" that can be run'],
    ['a folder for a program', { command: ['/'] }, 'could not be spawned: ENOENT: there is no program "/" that can be run'],
    ['no program', { command: [] }, 'could not be spawned: ENOENT: there is no program "" that can be run'],
    ['a folder that is not there', { cwd: '/nowhere' }, 'could not be spawned: ENOENT: there is no folder /nowhere to run in'],
    ['an argument that cannot be one', { command: [process.execPath, 'a\0b'] }, /^could not be spawned: ERR_INVALID_ARG_VALUE: /],
  ])('is told with a readable reason: %s', async (_what, change, reason) => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add({ ...home.spec('disk', steady), ...change });
    supervisor.start('disk');
    expect((await supervisor.settled('disk')).lastError).toMatch(reason);
    await supervisor.stop('disk');
    expect(supervisor.get('disk').state).toBe('stopped');
  });

  it('takes the rest of its group with it', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 60_000 } });
    supervisor.add(home.spec('parent', `
      const { spawn } = await import('node:child_process');
      const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 60_000)'], { stdio: 'inherit' });
      tell({ state: 'ready' }); keepAlive();`));
    supervisor.start('parent');
    const grandchild = await printedPid(supervisor, 'parent');
    process.kill(pidOf(supervisor, 'parent'), 'SIGKILL');
    await supervisor.until('parent', ['backoff']);
    await gone(grandchild);
  });

  it.runIf(existsSync('/proc/self/environ'))('is seen to have ended although one that left its group holds its pipes, and that one is ended, too', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 60_000 } });
    supervisor.add(home.spec('parent', `
      const { spawn } = await import('node:child_process');
      const child = spawn(process.execPath, ['-e', 'console.log(process.pid); setInterval(() => {}, 60_000)'], { stdio: 'inherit', detached: true });
      tell({ state: 'ready' }); keepAlive();`));
    supervisor.start('parent');
    const escaped = await printedPid(supervisor, 'parent');
    process.kill(pidOf(supervisor, 'parent'), 'SIGKILL');
    expect(await supervisor.until('parent', ['backoff'])).toMatchObject({ lastError: 'killed by SIGKILL' });
    await gone(escaped);
  });
});

describe('a process that hangs', () => {
  const settings = { aliveLimitMs: 400, firstBackoffMs: 5 };
  // The first one hangs, its successor does not: it sees the file of the first.
  const once = (code: string): string => `
    const { existsSync, writeFileSync } = await import('node:fs');
    tell({ state: 'ready' });
    endWithSupervisor();
    if (existsSync('been-here')) keepAlive();
    else { writeFileSync('been-here', ''); ${code} }`;

  it('in a loop is killed and replaced', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings });
    supervisor.add(home.spec('loop', once('for (;;);')));
    supervisor.start('loop');
    expect(await supervisor.until('loop', ['backoff'])).toMatchObject({ lastError: 'hung: silent for 0.4 s' });
    expect(await supervisor.ready('loop')).toMatchObject({ restarts: 1 });
  });

  it('as it was stopped by a signal is killed and replaced', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings });
    supervisor.add(home.spec('frozen', steady));
    supervisor.start('frozen');
    await supervisor.ready('frozen');
    const pid = pidOf(supervisor, 'frozen');
    process.kill(pid, 'SIGSTOP');
    expect(await supervisor.until('frozen', ['backoff'])).toMatchObject({ lastError: 'hung: silent for 0.4 s' });
    expect(runs(pid)).toBe(false);
    expect(await supervisor.ready('frozen')).toMatchObject({ restarts: 1 });
  });
});

describe('what is to be done before a start', () => {
  it('is awaited at each start, and its variables are in the environment of that one', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 10 } });
    let starts = 0;
    supervisor.add(home.spec('child', `console.log('start ' + process.env.START); ${steady}`, {
      prepare: async () => {
        await setImmediate();
        starts += 1;
        return { START: String(starts) };
      },
    }));
    supervisor.start('child');
    expect(supervisor.get('child')).toMatchObject({ state: 'starting', pid: null });
    await supervisor.ready('child');
    process.kill(pidOf(supervisor, 'child'), 'SIGKILL');
    await supervisor.until('child', ['backoff']);
    await supervisor.ready('child');
    supervisor.restart('child');
    await supervisor.until('child', ['starting']);
    await supervisor.ready('child');
    expect(supervisor.logs('child', { lines: 10 }).lines).toEqual(['start 1', 'start 2', 'start 3']);
  });

  it('does not hold up a stop: nothing is spawned', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const disk = Promise.withResolvers<Record<string, string>>();
    supervisor.add(home.spec('child', `console.log('started'); ${steady}`, { prepare: () => disk.promise }));
    supervisor.start('child');
    expect(await supervisor.stop('child')).toMatchObject({ state: 'stopped', pid: null, lastError: '' });
    disk.resolve({});
    await setImmediate();
    expect(supervisor.get('child').state).toBe('stopped');
    supervisor.start('child');
    supervisor.restart('child');
    await supervisor.ready('child');
    expect(supervisor.logs('child', { lines: 10 }).lines).toEqual(['started']);
  });

  it('is a failure if it fails', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('child', steady, { prepare: () => Promise.reject(new TypeError('no')) }));
    supervisor.start('child');
    expect(await supervisor.until('child', ['backoff'])).toMatchObject({ lastError: 'could not be spawned: no' });
  });
});

describe('the memory of a process', () => {
  const holding = (megabytes: number): string => `globalThis.held = Buffer.alloc(${megabytes} * 2 ** 20, 1); tell({ state: 'ready' }); keepAlive(); endWithSupervisor();`;
  const seen = async (supervisor: Supervisor, name: string): Promise<ProcessMemory> => await vi.waitFor(() => {
    const memory = supervisor.memory(name);
    if (memory.usedMb === null) throw new TypeError('it was not looked at yet');
    return memory;
  }, { timeout: 8000, interval: 20 });

  it('is known while it runs, with its limit, which is that of its start', async () => {
    const home = testHome();
    const supervisor = await home.open();
    let memoryLimitMb: number | undefined = 1000;
    const spec = home.spec('disk', holding(50));
    supervisor.add({ ...spec, get memoryLimitMb() { return memoryLimitMb; } });
    expect(supervisor.memory('disk')).toEqual({ usedMb: null, limitMb: null });
    supervisor.start('disk');
    await supervisor.ready('disk');
    memoryLimitMb = undefined;
    const { usedMb, limitMb } = await seen(supervisor, 'disk');
    expect(limitMb).toBe(1000);
    expect(usedMb).toBeGreaterThan(70);
    expect(usedMb).toBeLessThan(500);
    await supervisor.stop('disk');
    expect(supervisor.memory('disk')).toEqual({ usedMb: null, limitMb: null });
  });

  it('past its limit is its end, and it is started again', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 5 } });
    supervisor.add(home.spec('hoarder', holding(200), { memoryLimitMb: 150 }));
    supervisor.start('hoarder');
    expect(await supervisor.until('hoarder', ['backoff'])).toMatchObject({ lastError: expect.stringMatching(/^used (1[5-9]|2\d)\d MiB, and its limit is 150 MiB$/) as string });
    expect(supervisor.lastEnd('hoarder')).toEqual({ code: null, signal: 'SIGKILL' });
    await supervisor.until('hoarder', ['starting']);
  });

  it('is not that of what it supervises itself', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const code = `
      const { spawn } = await import('node:child_process');
      spawn(process.execPath, ['-e', 'globalThis.held = Buffer.alloc(200 * 2 ** 20, 1); console.log(process.pid); setInterval(() => {}, 60_000)'], { detached: true, stdio: 'inherit' });
      ${holding(1)}`;
    supervisor.add(home.spec('parent', code));
    supervisor.add(home.spec('manager', code, { supervises: true }));
    for (const name of ['parent', 'manager']) supervisor.start(name);
    await Promise.all(['parent', 'manager'].map((name) => printedPid(supervisor, name)));
    await vi.waitFor(() => expect(supervisor.memory('parent').usedMb).toBeGreaterThan(230), { timeout: 8000, interval: 20 });
    expect((await seen(supervisor, 'manager')).usedMb).toBeLessThan(200);
  });
});

describe('the last words of a process', () => {
  it('are those of its run that failed, and of no other', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { firstBackoffMs: 5, failureLimit: 2, slowRetryMs: 60_000 } });
    supervisor.add(home.spec('talker', `
      const { existsSync, writeFileSync } = await import('node:fs');
      if (!existsSync('been-here')) { writeFileSync('been-here', ''); console.log('the first words'); process.exit(1); }
      console.log('other words'); tell({ state: 'ready' }); keepAlive(); endWithSupervisor();`));
    supervisor.start('talker');
    await supervisor.ready('talker');
    expect(supervisor.lastWords('talker')).toEqual(['the first words']);
    await supervisor.stop('talker');
    expect(supervisor.lastWords('talker')).toEqual(['the first words']);
    supervisor.start('talker');
    await supervisor.ready('talker');
    process.kill(pidOf(supervisor, 'talker'), 'SIGKILL');
    await supervisor.until('talker', ['backoff']);
    expect(supervisor.lastWords('talker')).toEqual(['other words']);
    expect(supervisor.get('talker').lastError).toBe('killed by SIGKILL');
    supervisor.forgetFailure('talker');
    expect(supervisor.lastWords('talker')).toEqual([]);
    expect(supervisor.get('talker').lastError).toBe('');
  });

  it('are none of one that could not be spawned', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('none', '', { command: ['/nowhere/program'] }));
    supervisor.start('none');
    await supervisor.settled('none');
    expect(supervisor.lastWords('none')).toEqual([]);
  });
});

describe('a stop', () => {
  it('is asked over the bus first', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const flag = join(home.folder, 'stop-now');
    supervisor.add(home.spec('polite', `
      const { existsSync } = await import('node:fs');
      tell({ state: 'ready' }); keepAlive();
      setInterval(() => { if (existsSync(${JSON.stringify(flag)})) process.exit(0); }, 10);`, {
      askStop: async () => writeFileSync(flag, ''),
    }));
    supervisor.start('polite');
    await supervisor.ready('polite');
    await supervisor.stop('polite');
    expect(supervisor.lastEnd('polite')).toEqual({ code: 0, signal: null });
  });

  it('is SIGTERM at once when asking fails', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { askLimitMs: 60_000 } });
    supervisor.add(home.spec('disk', steady, { askStop: () => Promise.reject(new TypeError('no broker')) }));
    supervisor.start('disk');
    await supervisor.ready('disk');
    await supervisor.stop('disk');
    expect(supervisor.lastEnd('disk')).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is SIGTERM after the bound when asking does not help, and the asking is over', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { askLimitMs: 30 } });
    let ranWhenOver: boolean | undefined;
    supervisor.add(home.spec('disk', steady, {
      askStop: (signal) => {
        signal.addEventListener('abort', () => {
          ranWhenOver ??= runs(pidOf(supervisor, 'disk'));
        });
        return new Promise(() => {});
      },
    }));
    supervisor.start('disk');
    await supervisor.ready('disk');
    await supervisor.stop('disk');
    expect(supervisor.lastEnd('disk')).toEqual({ code: null, signal: 'SIGTERM' });
    expect(ranWhenOver).toBe(true);
  });

  it('is SIGKILL after the bounds for who ignores everything', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { askLimitMs: 30, terminateLimitMs: 700 } });
    supervisor.add(home.spec('stubborn', `process.on('SIGTERM', () => console.log('no')); tell({ state: 'ready' }); keepAlive();`, { askStop: async () => {} }));
    supervisor.start('stubborn');
    await supervisor.ready('stubborn');
    const pid = pidOf(supervisor, 'stubborn');
    const begunMs = performance.now();
    await supervisor.stop('stubborn');
    // These bounds, not those that are the default.
    expect(performance.now() - begunMs).toBeLessThan(2500);
    expect(supervisor.lastEnd('stubborn')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(supervisor.logs('stubborn', { lines: 5 }).lines).toEqual(['no']);
    expect(runs(pid)).toBe(false);
  });

  it('while it starts, and a start while it stops, both come to their end', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    supervisor.start('disk');
    const stopped = supervisor.stop('disk');
    supervisor.start('disk');
    expect(await stopped).toMatchObject({ state: 'starting' });
    expect(await supervisor.ready('disk')).toMatchObject({ restarts: 0, lastError: '' });
  });
});

describe('a restart', () => {
  it('runs what the spec says by then', async () => {
    const home = testHome();
    const supervisor = await home.open();
    const spec = home.spec('disk', `tell({ state: 'ready', facts: { argument: process.argv[2] } }); keepAlive(); endWithSupervisor();`);
    let argument = 'one';
    supervisor.add({
      name: 'disk',
      get command() {
        return [...spec.command, argument];
      },
      cwd: spec.cwd,
      env: spec.env,
    });
    supervisor.start('disk');
    await supervisor.ready('disk');
    expect(supervisor.facts('disk')).toEqual({ argument: 'one' });
    argument = 'two';
    supervisor.restart('disk');
    await supervisor.ready('disk');
    expect(supervisor.facts('disk')).toEqual({ argument: 'two' });
  });

  it('is another process, which nobody counts as a failure', async () => {
    const home = testHome();
    const supervisor = await home.open();
    supervisor.add(home.spec('disk', steady));
    supervisor.start('disk');
    await supervisor.ready('disk');
    const pid = pidOf(supervisor, 'disk');
    supervisor.restart('disk');
    const status = await supervisor.settled('disk');
    expect(status).toMatchObject({ state: 'running', restarts: 0, lastError: '' });
    expect(status.pid).not.toBe(pid);
    expect(runs(pid)).toBe(false);
  });
});

describe('what a process prints', () => {
  it('is in its log and told to the echo, line by line, safe to show', async () => {
    const home = testHome();
    const echoed: [string, string][] = [];
    const supervisor = await home.open({ echo: (name, line) => echoed.push([name, line]) });
    supervisor.add(home.spec('disk', String.raw`process.stdout.write('one\n\u001b[2Jtwo\nthree'); process.exitCode = 1;`));
    supervisor.start('disk');
    await supervisor.until('disk', ['backoff']);
    const lines = ['one', String.raw`\x1b[2Jtwo`, 'three'];
    expect(supervisor.logs('disk', { lines: 10 })).toEqual({ lines, next: 3 });
    expect(echoed).toEqual(lines.map((line) => ['disk', line]));
    expect(readFileSync(join(home.logsFolder, 'disk.log'), 'utf8')).toBe(`${lines.join('\n')}\n`);
  });

  it('is read to its last line however much it is, and the files stay bounded', async () => {
    const home = testHome();
    const supervisor = await home.open({ settings: { logBytes: 64 * 1024 } });
    supervisor.add(home.spec('chatty', `for (let line = 1; line <= 50_000; line += 1) writeSync(1, 'line ' + line + '\\n'); process.exitCode = 1;`));
    supervisor.start('chatty');
    await supervisor.until('chatty', ['backoff']);
    expect(supervisor.logs('chatty', { lines: 2 })).toEqual({ lines: ['line 49999', 'line 50000'], next: 50_000 });
    expect(existsSync(join(home.logsFolder, 'chatty.log.2'))).toBe(true);
    expect(existsSync(join(home.logsFolder, 'chatty.log.3'))).toBe(false);
  });

  it('is still there for the next supervisor', async () => {
    const home = testHome();
    const first = await home.open();
    first.add(home.spec('disk', `console.log('before'); process.exitCode = 1;`));
    first.start('disk');
    await first.until('disk', ['backoff']);
    await first[Symbol.asyncDispose]();
    const next = await home.open();
    next.add(home.spec('disk', steady));
    expect(next.logs('disk', { lines: 10 })).toEqual({ lines: ['before'], next: 1 });
  });
});
