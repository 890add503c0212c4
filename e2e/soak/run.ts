// One soak: a house under mixed load for as long as one likes, sampled each second.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { settling } from '../fuzz/memory.ts';
import { Home } from '../src/home.ts';
import { isRunning } from '../src/processes.ts';
import { writeTallyPlugin } from '../src/tally-plugin.ts';
import { healthProblems } from './health.ts';
import { Load } from './load.ts';
import { reportOf, type Report } from './report.ts';
import { Samples } from './samples.ts';

const sampleMs = 1000;
const progressMs = 30_000;
const settleMs = 30_000;
/** Within this who was just started anew runs again. */
const backLimitMs = 10_000;
const backPollMs = 100;

export interface SoakOptions {
  readonly durationMs: number;
  /** Where the samples are written. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Ends it before its time; what there is is reported. */
  readonly signal?: AbortSignal;
}

export interface SoakResult extends Report {
  /** Who is gone or was started anew unasked, and calls of which too many failed. */
  readonly problems: readonly string[];
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
      const isOver = (): boolean => samples.elapsedMs >= durationMs || signal?.aborted === true || !isRunning(house.up.pid);
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
    const problems = healthProblems({ gone: await stillAbsent(samples), restarts: samples.restarts, asked: load.asked, calls: load.turns });
    return { ...reportOf(samples.processes, samples.p50, samples.p99), problems, calls: load.calls, failures: load.failures, elapsedMs: samples.elapsedMs };
  } finally {
    rmSync(notes, { recursive: true, force: true });
  }
}

/** Who ran, and does not come back. */
async function stillAbsent(samples: Samples): Promise<string[]> {
  const untilMs = performance.now() + backLimitMs;
  for (;;) {
    const absent = samples.absent();
    if (absent.length === 0 || performance.now() > untilMs) return absent;
    await delay(backPollMs);
  }
}

function progressText({ processes, elapsedMs, p50 }: Samples, { calls }: Load): string {
  const memory = [...processes].map(([name, { resident }]) => `${name} ${resident.at(-1)?.value.toFixed(0) ?? ''}`).join(', ');
  return `${(elapsedMs / 60_000).toFixed(1).padStart(5)} min  ${calls} turns, call ${p50.get('call')?.at(-1)?.value.toFixed(2) ?? '–'} ms; MiB: ${memory}`;
}
