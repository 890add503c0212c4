// The epochs of plugins, with real files in a home.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Epochs } from './epochs.ts';

const startMs = Date.UTC(2026, 10, 22);

let home: string;
let nowMs: number;
let warned: unknown[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-epochs-'));
  nowMs = startMs;
  warned = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Those of a manager that has just started. */
function open(diskLimitMs = 60_000): Epochs {
  const told = warned;
  const warn = (...words: readonly unknown[]): void => void told.push(words.at(-1));
  return new Epochs({ home, log: { warn }, clock: { wallMs: () => nowMs }, diskLimitMs });
}

const folder = (): string => join(home, 'run', 'epochs');
const file = (plugin: string): string => join(folder(), plugin);

describe('R15: the epoch of a start', () => {
  it('is the time in milliseconds, on disk before the plugin starts', async () => {
    expect(await open().next('lamp')).toBe(startMs);
    expect(readFileSync(file('lamp'), 'utf8')).toBe(`${startMs}\n`);
    expect(readdirSync(folder())).toEqual(['lamp']);
  });

  it('is one more for a second start within a millisecond, and for each plugin by itself', async () => {
    const epochs = open();
    expect(await Promise.all(['lamp', 'lamp', 'lamp', 'heating'].map((plugin) => epochs.next(plugin)))).toEqual([startMs, startMs + 1, startMs + 2, startMs]);
  });

  it('never goes back when the clock does, nor over a kill -9 of the manager at any moment', async () => {
    const first = await open().next('lamp');
    nowMs -= 86_400_000;
    expect(await open().next('lamp')).toBe(first + 1);
    // Killed between the write and the rename.
    writeFileSync(`${file('lamp')}.new`, '17');
    expect(await open().next('lamp')).toBe(first + 2);
  });

  it.each(['', 'x', '-5', '1e300', '9007199254740991', '99999999999999999', '\0\0\0\0'])('is the time when what was written is damaged: %j', async (text) => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(file('lamp'), text);
    expect(await open().next('lamp')).toBe(startMs);
    expect(await open().next('lamp')).toBe(startMs + 1);
  });

  it('is the time when the folder was lost, and above the last while the manager runs', async () => {
    const epochs = open();
    await epochs.next('lamp');
    rmSync(join(home, 'run'), { recursive: true });
    nowMs -= 1000;
    expect(await epochs.next('lamp')).toBe(startMs + 1);
    rmSync(join(home, 'run'), { recursive: true });
    nowMs = startMs + 5;
    expect(await open().next('lamp')).toBe(startMs + 5);
  });

  it('is given also where nothing can be written, and that is said once', async () => {
    // A file in the place of the folder: for root every folder can be written.
    writeFileSync(join(home, 'run'), '');
    const epochs = open();
    expect(await Promise.all(['lamp', 'lamp', 'heating'].map((plugin) => epochs.next(plugin)))).toEqual([startMs, startMs + 1, startMs]);
    expect(warned).toEqual([expect.stringMatching(/^the epoch of lamp cannot be written to .*run\/epochs \(.*\); as long as the clock is not set back nothing is lost$/)]);
    rmSync(join(home, 'run'));
    await epochs.next('lamp');
    expect(existsSync(file('lamp'))).toBe(true);
  });

  it('is above the one that the broker has seen, unless that has no successor', async () => {
    const epochs = open();
    expect(await epochs.next('lamp', startMs + 500)).toBe(startMs + 501);
    expect(await epochs.next('lamp', 17)).toBe(startMs + 502);
    expect(await epochs.next('lamp', Number.MAX_SAFE_INTEGER)).toBe(startMs + 503);
    expect(readFileSync(file('lamp'), 'utf8')).toBe(`${startMs + 503}\n`);
  });

  // Who opens a named pipe waits until somebody opens its other end: so is a disk that does not answer.
  it.each(['lamp', 'lamp.new'])('is given in bounded time where the disk does not answer, and that is said once: %s', async (hanging) => {
    mkdirSync(folder(), { recursive: true });
    const pipe = join(folder(), hanging);
    execFileSync('mkfifo', [pipe]);
    const epochs = open(200);
    try {
      expect([await epochs.next('lamp'), await epochs.next('lamp')]).toEqual([startMs, startMs + 1]);
      expect(warned).toEqual([expect.stringMatching(/^the epoch of lamp cannot be written to .*run\/epochs \(the disk has not answered for 0.2 s\); /)]);
    } finally {
      const otherEnd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
      rmSync(pipe);
      closeSync(otherEnd);
    }
    await vi.waitFor(() => expect(readFileSync(file('lamp'), 'utf8')).toBe(`${startMs + 1}\n`), { timeout: 8000, interval: 10 });
    // It comes after all that was late.
    await epochs.next('heating');
  });

  it('rises whatever happens between the starts, unless the files are lost and the clock goes back', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.oneof(fc.record({ clock: fc.integer({ min: -1e9, max: 1e9 }) }), fc.constantFrom('start', 'start', 'manager')), { maxLength: 20 }), async (steps) => {
      rmSync(folder(), { recursive: true, force: true });
      let epochs = open();
      let last = -1;
      for (const step of steps) {
        if (step === 'manager') epochs = open();
        else if (step === 'start') {
          const epoch = await epochs.next('lamp');
          expect(epoch).toBeGreaterThan(last);
          last = epoch;
        } else nowMs += step.clock;
      }
    }), { numRuns: 30 });
  });
});
