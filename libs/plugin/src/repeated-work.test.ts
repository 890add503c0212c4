import { ActionFailure } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configured, heating } from '../test/heating.ts';
import { repeat } from './repeated-work.ts';
import { TestClock } from './test-clock.ts';
import { testPlugin } from './test-plugin.ts';

describe('work that is repeated', () => {
  it('is done at once, and then at each interval, whenever it is seen to', async () => {
    const clock = new TestClock();
    const stopping = new AbortController();
    const times: number[] = [];
    const ended = clock.run(() => repeat(100, async () => void times.push(clock.monotonicMs()), clock, stopping.signal));
    expect(times).toEqual([0]);
    await clock.advance(250);
    await clock.advance(50);
    expect(times).toEqual([0, 100, 200, 300]);
    stopping.abort();
    await ended;
    await clock.advance(1000);
    expect(times).toHaveLength(4);
  });

  it('is never done twice at once, keeps its beat, and makes up for nothing, however long it takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 10 }), async (intervalMs, durations) => {
        const clock = new TestClock();
        const stopping = new AbortController();
        const begins: number[] = [];
        const ends: number[] = [];
        const ended = clock.run(() => repeat(intervalMs, async () => {
          begins.push(clock.monotonicMs());
          await clock.delay(durations[ends.length] ?? 0);
          ends.push(clock.monotonicMs());
          if (ends.length === durations.length) stopping.abort();
        }, clock, stopping.signal));
        await clock.advance(durations.length * 300);
        await ended;
        for (const [index, end] of ends.slice(0, -1).entries()) {
          expect(begins[index + 1]).toBe((Math.floor(end / intervalMs) + 1) * intervalMs);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('every, of a plugin', () => {
  it('makes it not ready while the work fails, with the reason of what fails still, and says a reason once in the log', async () => {
    const broken = new Set(['pump', 'valve']);
    const check = (what: string): void => {
      if (broken.has(what)) throw new TypeError(`the ${what} does not answer`);
    };
    await using plugin = await testPlugin(heating({
      start({ every }) {
        every(1000, () => check('pump'));
        every(1000, async () => check('valve'));
      },
    }), { configuration: configured });
    await plugin.clock.advance(3000);
    expect(plugin.state()).toEqual({ ready: false, reason: 'the pump does not answer' });
    broken.delete('pump');
    await plugin.clock.advance(1000);
    expect(plugin.state()).toEqual({ ready: false, reason: 'the valve does not answer' });
    broken.delete('valve');
    await plugin.clock.advance(1000);
    expect(plugin.state()).toEqual({ ready: true });
    expect(plugin.log().filter((line) => line.startsWith('ERROR: what is done every 1000 ms failed'))).toHaveLength(2);
  });

  it('leaves the last word of the author as it is: the plugin is ready when neither that nor the work speaks against it', async () => {
    let isBroken = true;
    let say: { ready: () => void; notReady: (reason: string) => void } | undefined;
    await using plugin = await testPlugin(heating({
      start(call) {
        say = call;
        call.every(1000, () => {
          if (isBroken) throw new TypeError('the pump does not answer');
        });
      },
    }), { configuration: configured });
    expect(plugin.state()).toEqual({ ready: false, reason: 'the pump does not answer' });
    say?.notReady('no device');
    expect(plugin.state()).toEqual({ ready: false, reason: 'no device' });
    isBroken = false;
    await plugin.clock.advance(1000);
    expect(plugin.state()).toEqual({ ready: false, reason: 'no device' });
    say?.ready();
    expect(plugin.state()).toEqual({ ready: true });
    isBroken = true;
    await plugin.clock.advance(1000);
    say?.ready();
    expect(plugin.state()).toEqual({ ready: false, reason: 'the pump does not answer' });
    isBroken = false;
    await plugin.clock.advance(1000);
    expect(plugin.state()).toEqual({ ready: true });
  });

  it('that recovers before start has ended leaves the plugin starting', async () => {
    const device = Promise.withResolvers<void>();
    let isBroken = true;
    await using plugin = await testPlugin(heating({
      async start({ every }) {
        every(1000, () => {
          if (isBroken) throw new TypeError('the pump does not answer');
        });
        await device.promise;
      },
    }), { configuration: configured });
    expect(plugin.state()).toEqual({ ready: false, reason: 'the pump does not answer' });
    isBroken = false;
    await plugin.clock.advance(1000);
    expect(plugin.state()).toEqual({ ready: false, reason: 'starting' });
    device.resolve();
    await plugin.clock.settled();
    expect(plugin.state()).toEqual({ ready: true });
  });

  it('ends with the plugin, whose stop waits for what is under way', async () => {
    const order: string[] = [];
    await using plugin = await testPlugin(heating({
      start: ({ every, signal }) => every(1000, async () => {
        await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
        await Promise.resolve();
        order.push('work ended');
      }),
      stop: () => void order.push('stop'),
    }), { configuration: configured });
    await plugin.stop();
    expect(order).toEqual(['work ended', 'stop']);
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses an interval of %d', async (intervalMs) => {
    const started = testPlugin(heating({ start: ({ every }) => every(intervalMs, () => {}) }), { configuration: configured });
    await expect(started).rejects.toThrow(new ActionFailure('INTERVAL_INVALID', `every needs an interval of more than 0 milliseconds, not ${intervalMs}; check what it is computed from`));
  });
});
