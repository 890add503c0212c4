// What a part says of itself, over a real pipe on descriptor 3.
import { describe, expect, it } from 'vitest';
import { startPart } from '../test/running-part.ts';
import { openReadiness, readinessFd, readinessVariable } from './readiness.ts';

describe('a supervised part', () => {
  it('says that it starts, that it is ready with the facts of it, and then that it is alive', async () => {
    using part = startPart(['--behaviour', 'orderly']);
    expect(await part.until('starting')).toEqual({ state: 'starting' });
    expect(await part.until('ready')).toEqual({ state: 'ready', facts: { address: 'tcp://127.0.0.1:1' } });
    expect(await part.until('alive')).toEqual({ state: 'alive' });
    expect(await part.until('alive')).toEqual({ state: 'alive' });
  });

  it('says what it waits for when it is not ready', async () => {
    using part = startPart(['--behaviour', 'waiting']);
    expect(await part.until('not-ready')).toEqual({ state: 'not-ready', reason: 'no device answers' });
  });

  it('goes on when nobody is at the other end of the pipe any more', async () => {
    using part = startPart(['--behaviour', 'orderly']);
    await part.until('ready');
    part.child.stdio[readinessFd]?.destroy();
    part.child.kill('SIGTERM');
    expect((await part.ended).code).toBe(0);
  });

  it.each(['', '1', 'three', '99'])('runs without a pipe when the variable is "%s"', async (value) => {
    using part = startPart(['--behaviour', 'finished'], { env: { [readinessVariable]: value } });
    expect(await part.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('is not held up by a supervisor that does not read, and has told everything when it reads again', async () => {
    using part = startPart(['--behaviour', 'talkative']);
    const { stdout } = part.child;
    expect(String(await new Promise((resolve) => stdout?.once('data', resolve)))).toContain('told everything');
    expect(await part.until('starting')).toEqual({ state: 'starting' });
    expect(await part.until('not-ready')).toEqual({ state: 'not-ready', reason: 'device 0 does not answer' });
    expect(await part.until('ready')).toEqual({ state: 'ready' });
  });
});

describe('readiness without a supervisor', () => {
  it('says nothing, and can be ended twice', () => {
    const readiness = openReadiness({});
    readiness.ready({ address: 'nowhere' });
    readiness.notReady('nobody asked');
    readiness[Symbol.dispose]();
    readiness[Symbol.dispose]();
  });
});
