// One soak: a house under mixed load for as long as one likes, sampled each second.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { settling } from '../fuzz/memory.ts';
import { Home } from '../src/home.ts';
import { writeTallyPlugin } from '../src/tally-plugin.ts';
import { Load } from './load.ts';
import { reportOf, type Report } from './report.ts';
import { Samples } from './samples.ts';

const sampleMs = 1000;
const progressMs = 30_000;
const settleMs = 30_000;

export interface SoakOptions {
  readonly durationMs: number;
  /** Where the samples are written. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Ends it before its time; what there is is reported. */
  readonly signal?: AbortSignal;
}

export interface SoakResult extends Report {
  readonly calls: number;
  readonly failures: ReadonlyMap<string, number>;
  readonly elapsedMs: number;
}

export async function runSoak({ durationMs, folder, say, signal }: SoakOptions): Promise<SoakResult> {
  const notes = mkdtempSync(join(tmpdir(), 'majordomus-soak-notes-'));
  await using home = new Home();
  try {
    // In a group of its own: Ctrl-C is for the soak, which then stops the house.
    await using house = await home.up({ plugins: true, group: true, env: { DOMUS_HOME: home.folder, ...settling(notes) } });
    await home.tell('plugin', 'install', 'sysload');
    await home.tell('plugin', 'install', writeTallyPlugin(home, { notes }).folder);
    const ending = new AbortController();
    const samples = new Samples(home.folder, folder);
    const load = new Load({ home, house, called: (kind, tookMs) => samples.called(kind, tookMs), signal: ending.signal });
    const running = load.run();
    // Whoever waits for it hears of its failure below.
    running.catch(() => {});
    try {
      let nextProgressMs = progressMs;
      let nextSettleMs = 0;
      const isOver = (): boolean => samples.elapsedMs >= durationMs || signal?.aborted === true;
      while (!isOver()) {
        samples.take();
        if (samples.elapsedMs >= nextSettleMs) {
          nextSettleMs += settleMs;
          // One that is just being restarted does not answer; it is asked again.
          await samples.settle(notes).catch(() => undefined);
        }
        if (samples.elapsedMs >= nextProgressMs) {
          nextProgressMs += progressMs;
          say(progressText(samples, load));
        }
        await delay(Math.min(sampleMs, durationMs), undefined, { ...(signal && { signal }) }).catch(() => undefined);
      }
      samples.end();
    } finally {
      ending.abort();
    }
    await running;
    return { ...reportOf(samples.processes, samples.p50, samples.p99), calls: load.calls, failures: load.failures, elapsedMs: samples.elapsedMs };
  } finally {
    rmSync(notes, { recursive: true, force: true });
  }
}

function progressText({ processes, elapsedMs, p50 }: Samples, { calls }: Load): string {
  const memory = [...processes].map(([name, { memory }]) => `${name} ${memory.at(-1)?.value.toFixed(0) ?? ''}`).join(', ');
  return `${(elapsedMs / 60_000).toFixed(1).padStart(5)} min  ${calls} turns, call ${p50.get('call')?.at(-1)?.value.toFixed(2) ?? '–'} ms; MiB: ${memory}`;
}
