// Real processes: how a part starts, stops and ends.
import { describe, expect, it } from 'vitest';
import { startPart } from '../test/running-part.ts';
import { exitCannotStart } from './start-error.ts';

/** The messages of the log, in order. */
function messages(stdout: string): string[] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { msg: string }).msg);
}

describe('a part', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('stops in order at %s', async (signal) => {
    using part = startPart(['--behaviour', 'orderly']);
    await part.until('ready');
    part.child.kill(signal);
    const { code, stdout } = await part.ended;
    expect(messages(stdout)).toEqual([`stopping (${signal})`, 'put everything away']);
    expect(code).toBe(0);
  });

  it('ends at once at a second signal', async () => {
    using part = startPart(['--behaviour', 'stubborn']);
    await part.until('ready');
    part.child.kill('SIGTERM');
    part.child.stdout?.once('data', () => part.child.kill('SIGINT'));
    const { code, stdout } = await part.ended;
    expect(messages(stdout)).toEqual(['stopping (SIGTERM)', 'ending at once (SIGINT)']);
    expect(code).toBe(1);
  });

  it('that does not manage to stop ends all the same', async () => {
    using part = startPart(['--behaviour', 'stubborn']);
    await part.until('ready');
    part.child.kill('SIGTERM');
    const { code, stdout } = await part.ended;
    expect(messages(stdout)).toEqual(['stopping (SIGTERM)', 'the stop took longer than 4000 ms']);
    expect(code).toBe(1);
  });

  it('whose work is done ends well', async () => {
    using part = startPart(['--behaviour', 'finished']);
    expect(await part.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('stops when it is supervised and its standard input closes', async () => {
    using part = startPart(['--behaviour', 'orderly'], { supervised: true });
    await part.until('ready');
    part.child.stdin?.end();
    const { code, stdout } = await part.ended;
    expect(messages(stdout)).toEqual(['stopping (the supervisor is gone)', 'put everything away']);
    expect(code).toBe(0);
  });

  it('stops in order when its supervisor is gone with every pipe', async () => {
    using part = startPart(['--behaviour', 'orderly'], { supervised: true });
    await part.until('ready');
    for (const pipe of part.child.stdio) pipe?.destroy();
    expect((await part.ended).code).toBe(0);
  });

  it('goes on without its standard input when nobody supervises it', async () => {
    using part = startPart(['--behaviour', 'orderly']);
    part.child.stdin?.end();
    await part.until('ready');
    await part.until('alive');
    part.child.kill('SIGTERM');
    const { stdout } = await part.ended;
    expect(messages(stdout)[0]).toBe('stopping (SIGTERM)');
  });

  it('that cannot start says why in one line, and that trying again does not help', async () => {
    using part = startPart(['--behaviour', 'refused']);
    expect(await part.ended).toMatchObject({
      code: exitCannotStart,
      stdout: '',
      stderr: 'tester: ADDRESS_IN_USE: tcp://127.0.0.1:1 is in use; choose another with --bind\n',
    });
  });

  it('that has a wrong setting says so in one line', async () => {
    using part = startPart(['--behaviour', 'orderly', '--log-level', 'loud']);
    const { code, stderr } = await part.ended;
    expect(stderr).toBe('tester: SETTING_INVALID: --log-level: "loud" must be one of trace, debug, info, warn, error, silent\n');
    expect(code).toBe(exitCannotStart);
  });

  it('that fails in a way nobody thought of logs the error with its stack', async () => {
    using part = startPart(['--behaviour', 'broken']);
    const { code, stdout } = await part.ended;
    expect(JSON.parse(stdout)).toMatchObject({ level: 60, name: 'tester', err: { type: 'TypeError', message: 'nobody thought of this' } });
    expect(stdout).toContain('part.ts');
    expect(code).toBe(1);
  });
});
