// The epochs of plugins, with real files in a home.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Those of a manager that has just started. */
function open(): Epochs {
  const warn = (...told: readonly unknown[]): void => void warned.push(told.at(-1));
  return new Epochs({ home, log: { warn }, clock: { wallMs: () => nowMs } });
}

const folder = (): string => join(home, 'run', 'epochs');
const file = (plugin: string): string => join(folder(), plugin);

describe('R15: the epoch of a start', () => {
  it('is the time in milliseconds, on disk before the plugin starts', () => {
    expect(open().next('lamp')).toBe(startMs);
    expect(readFileSync(file('lamp'), 'utf8')).toBe(`${startMs}\n`);
    expect(readdirSync(folder())).toEqual(['lamp']);
  });

  it('is one more for a second start within a millisecond, and for each plugin by itself', () => {
    const epochs = open();
    expect([epochs.next('lamp'), epochs.next('lamp'), epochs.next('lamp'), epochs.next('heating')]).toEqual([startMs, startMs + 1, startMs + 2, startMs]);
  });

  it('never goes back when the clock does, nor over a kill -9 of the manager at any moment', () => {
    const first = open().next('lamp');
    nowMs -= 86_400_000;
    expect(open().next('lamp')).toBe(first + 1);
    // Killed between the write and the rename.
    writeFileSync(`${file('lamp')}.new`, '17');
    expect(open().next('lamp')).toBe(first + 2);
  });

  it.each(['', 'x', '-5', '1e300', '9007199254740991', '99999999999999999', '\0\0\0\0'])('is the time when what was written is damaged: %j', (text) => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(file('lamp'), text);
    expect(open().next('lamp')).toBe(startMs);
    expect(open().next('lamp')).toBe(startMs + 1);
  });

  it('is the time when the folder was lost, and above the last while the manager runs', () => {
    const epochs = open();
    epochs.next('lamp');
    rmSync(join(home, 'run'), { recursive: true });
    nowMs -= 1000;
    expect(epochs.next('lamp')).toBe(startMs + 1);
    rmSync(join(home, 'run'), { recursive: true });
    nowMs = startMs + 5;
    expect(open().next('lamp')).toBe(startMs + 5);
  });

  it('is given also where nothing can be written, and that is said once', () => {
    // A file in the place of the folder: for root every folder can be written.
    writeFileSync(join(home, 'run'), '');
    const epochs = open();
    expect([epochs.next('lamp'), epochs.next('lamp'), epochs.next('heating')]).toEqual([startMs, startMs + 1, startMs]);
    expect(warned).toEqual([expect.stringMatching(/^the epoch of lamp cannot be written to .*run\/epochs \(.*\); as long as the clock is not set back nothing is lost$/)]);
    rmSync(join(home, 'run'));
    epochs.next('lamp');
    expect(existsSync(file('lamp'))).toBe(true);
  });

  it('rises whatever happens between the starts, unless the files are lost and the clock goes back', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.record({ clock: fc.integer({ min: -1e9, max: 1e9 }) }), fc.constantFrom('start', 'start', 'manager')), { maxLength: 20 }), (steps) => {
      rmSync(folder(), { recursive: true, force: true });
      let epochs = open();
      let last = -1;
      for (const step of steps) {
        if (step === 'manager') epochs = open();
        else if (step === 'start') {
          const epoch = epochs.next('lamp');
          expect(epoch).toBeGreaterThan(last);
          last = epoch;
        } else nowMs += step.clock;
      }
    }), { numRuns: 30 });
  });
});
