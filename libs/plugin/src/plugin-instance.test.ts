import { setTimeout as delay } from 'node:timers/promises';
import { ActionFailure } from '@majordomus/contracts';
import { silentLog, type Log } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { configured, heating } from '../test/heating.ts';
import type { Plugin, Values } from './define-plugin.ts';
import { PluginInstance, type PluginState } from './plugin-instance.ts';

const ready: PluginState = { ready: true };
const notSet = 'waits for its configuration: port is not set; set it: domus config set heating port /dev/ttyUSB0';

interface Running extends AsyncDisposable {
  readonly instance: PluginInstance;
  /** The states it told, in order. */
  readonly states: PluginState[];
  /** Resolves when so many states were told. */
  told(count: number): Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Runs a plugin whose configuration is what `read` answers. */
function run(plugin: Plugin, read: () => Promise<Values> = () => Promise.resolve(configured), log: Log = silentLog): Running {
  const stopping = new AbortController();
  const states: PluginState[] = [];
  const waiting = new Map<number, () => void>();
  const instance = new PluginInstance(plugin, {
    log,
    readConfiguration: read,
    configurationRetryMs: 1,
    onState(state) {
      states.push(state);
      waiting.get(states.length)?.();
    },
  });
  const running = instance.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  const told = (count: number): Promise<void> => {
    const enough = Promise.withResolvers<void>();
    waiting.set(count, enough.resolve);
    if (states.length >= count) enough.resolve();
    return Promise.race([enough.promise, running.then(() => { throw new ActionFailure('ENDED', 'the plugin ended before'); })]);
  };
  return { instance, states, told, stop, [Symbol.asyncDispose]: stop };
}

const never = new AbortController().signal;

describe('a running plugin', () => {
  it('lets each command see what was configured since, and goes on with that when it cannot be read', async () => {
    let read = (): Promise<Values> => Promise.resolve(configured);
    await using running = run(heating(), () => read());
    await running.told(1);
    const portOf = async (): Promise<unknown> => (await running.instance.do('warm', { room: 'hall' }, never)).result;
    read = () => Promise.resolve({ port: '/dev/ttyS2' });
    expect(await portOf()).toMatchObject({ at: '/dev/ttyS2' });
    read = () => Promise.reject(new ActionFailure('SERVICE_UNKNOWN', 'no worker offers dbmanager'));
    expect(await portOf()).toMatchObject({ at: '/dev/ttyS2' });
    read = () => Promise.resolve({});
    expect(await portOf()).toMatchObject({ at: '/dev/ttyS2' });
  });

  it('goes on with the configuration known last where start cannot read it anew', async () => {
    let read = (): Promise<Values> => Promise.resolve(configured);
    let ask: (() => Promise<{ readonly port: string }>) | undefined;
    await using running = run(heating({ start: ({ readConfiguration }) => void (ask = readConfiguration) }), () => read());
    await running.told(1);
    read = () => Promise.resolve({ port: '/dev/ttyS2' });
    expect(await ask?.()).toMatchObject({ port: '/dev/ttyS2' });
    read = () => Promise.reject(new ActionFailure('SERVICE_UNKNOWN', 'no worker offers dbmanager'));
    expect(await ask?.()).toMatchObject({ port: '/dev/ttyS2' });
  });

  it('is ready when its start has ended', async () => {
    const device = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    await using running = run(heating({
      async start({ configuration }) {
        seen.push(configuration);
        await device.promise;
      },
    }));
    expect(running.instance.state).toEqual({ ready: false, reason: 'starting' });
    device.resolve();
    await running.told(1);
    expect(running.states).toEqual([ready]);
    expect(seen).toEqual([{ port: '/dev/ttyS1', target: 20.5, rooms: [], eco: false, calibration: { hall: 0.5 } }]);
  });

  it('is not ready when its start said so, and may say otherwise at any time', async () => {
    let say: { ready: () => void; notReady: (reason: string) => void } | undefined;
    await using running = run(heating({
      start(call) {
        say = call;
        call.notReady('the boiler does not answer');
      },
    }));
    await running.told(1);
    say?.notReady('the boiler does not answer');
    say?.ready();
    say?.ready();
    say?.notReady('the boiler is gone');
    expect(running.states).toEqual([{ ready: false, reason: 'the boiler does not answer' }, ready, { ready: false, reason: 'the boiler is gone' }]);
    await running.stop();
    say?.ready();
    expect(running.states).toHaveLength(3);
  });

  it('waits for a configuration that fits, says what to type, and heals without a restart', async () => {
    let set: Values = {};
    let asked = 0;
    let starts = 0;
    await using running = run(heating({ start: () => void (starts += 1) }), () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new ActionFailure('SERVICE_UNKNOWN', 'no worker offers dbmanager')) : Promise.resolve(set);
    });
    await running.told(2);
    expect(running.states).toEqual([
      { ready: false, reason: 'waits for its configuration: no worker offers dbmanager' },
      { ready: false, reason: notSet },
    ]);
    await expect(running.instance.do('off', {}, never)).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: `heating cannot run off yet: ${notSet}` });
    expect(starts).toBe(0);
    set = configured;
    await running.told(3);
    expect(running.instance.state).toEqual(ready);
    expect(starts).toBe(1);
    await expect(running.instance.do('off', {}, never)).resolves.toEqual({ parameters: {}, result: null });
  });

  it('answers commands while it is not ready', async () => {
    await using running = run(heating({ start: ({ notReady }) => notReady('the boiler does not answer') }));
    await running.told(1);
    await expect(running.instance.do('warm', { room: 'hall' }, never)).resolves.toEqual({
      parameters: { room: 'hall', degrees: 21 },
      result: { at: '/dev/ttyS1', room: 'hall', degrees: 21 },
    });
  });

  it('ends with what its start throws', async () => {
    const running = run(heating({ start: () => { throw new ActionFailure('BROKEN', 'a bug'); } }));
    await expect(running.told(1)).rejects.toThrow('a bug');
    expect(running.instance.state.ready).toBe(false);
  });

  it('stops a start that waits for ever, and calls stop once', async () => {
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const running = run(heating({
      start({ signal }) {
        signal.addEventListener('abort', () => order.push('signal'));
        begun.resolve();
        return new Promise(() => {});
      },
      stop: () => void order.push('stop'),
    }));
    await begun.promise;
    await running.stop();
    await running.stop();
    expect(order).toEqual(['signal', 'stop']);
  });

  it('does not call stop when it was never started', async () => {
    let stops = 0;
    const running = run(heating({ stop: () => void (stops += 1) }), () => Promise.resolve({}));
    await running.told(1);
    await running.stop();
    expect(stops).toBe(0);
  });

  it('tells the commands under way to end, and calls stop after them', async () => {
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    const running = run(heating({
      async warm({ signal }) {
        begun.resolve();
        await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
        await Promise.resolve();
        order.push('command ended');
        return 'cold again';
      },
      stop: () => void order.push('stop'),
    }));
    await running.told(1);
    const call = running.instance.do('warm', { room: 'hall' }, never);
    await begun.promise;
    await running.stop();
    await expect(call).resolves.toMatchObject({ result: 'cold again' });
    expect(order).toEqual(['command ended', 'stop']);
    await expect(running.instance.do('off', {}, never)).rejects.toMatchObject({ code: 'STOPPING' });
  });

  it('is not to blame for a command that ends by its signal: the caller gets the reason of the signal, and the log nothing', async () => {
    const logged: unknown[] = [];
    const log = Object.assign(Object.create(silentLog) as Log, { error: (...entry: unknown[]) => void logged.push(entry) });
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    const running = run(heating({
      async warm({ signal }) {
        begun[calls++]?.resolve();
        return delay(1_000_000, 'warm', { signal });
      },
    }), undefined, log);
    await running.told(1);
    const caller = new AbortController();
    const cancelled = running.instance.do('warm', { room: 'hall' }, caller.signal);
    await begun[0]?.promise;
    caller.abort(new ActionFailure('ABORTED', 'the request was cancelled'));
    await expect(cancelled).rejects.toMatchObject({ name: 'ActionFailure', code: 'ABORTED' });
    const stopped = running.instance.do('warm', { room: 'hall' }, never);
    await begun[1]?.promise;
    await Promise.all([expect(stopped).rejects.toMatchObject({ name: 'ActionFailure', code: 'STOPPING' }), running.stop()]);
    expect(logged).toEqual([]);
  });

  it('ends although its stop throws', async () => {
    const running = run(heating({ stop: () => Promise.reject(new ActionFailure('BROKEN', 'a bug')) }));
    await running.told(1);
    await expect(running.stop()).resolves.toBeUndefined();
  });

  it('tells a command when nobody waits for it any more', async () => {
    const begun = Promise.withResolvers<void>();
    await using running = run(heating({
      async warm({ signal }) {
        begun.resolve();
        await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
        return 'given up';
      },
    }));
    await running.told(1);
    const caller = new AbortController();
    const call = running.instance.do('warm', { room: 'hall' }, caller.signal);
    await begun.promise;
    caller.abort();
    await expect(call).resolves.toMatchObject({ result: 'given up' });
  });
});
