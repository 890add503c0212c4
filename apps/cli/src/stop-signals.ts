// When a house in a terminal is told to stop: Ctrl-C, SIGTERM, a terminal that closes, or the end of the package manager
// that ran it. The second time means at once.
import { isAlive, launcherPids } from './launcher.ts';

export interface StopSignals {
  readonly signal: AbortSignal;
  /** What it was, for the person. */
  readonly why: string;
  /** Called before this process ends at once. */
  onSecond(endNow: () => void): void;
}

/** Within a moment of the first, the same press of Ctrl-C has come twice: by the terminal and by a parent that passed it on. */
const sameStopMs = 300;
const launcherCheckMs = 250;

export function watchForStop(): StopSignals {
  const controller = new AbortController();
  let why = 'stopped';
  let firstMs = 0;
  let endNow = (): void => {};
  const stop = (reason: string): void => {
    if (!controller.signal.aborted) {
      why = reason;
      firstMs = performance.now();
      controller.abort();
    } else if (performance.now() - firstMs > sameStopMs) {
      endNow();
      process.exit(1);
    }
  };
  process.on('SIGINT', () => stop('Ctrl-C'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGHUP', () => stop('the terminal closed'));
  const launchers = launcherPids();
  const check = setInterval(() => {
    if (launchers.every(isAlive)) return;
    clearInterval(check);
    if (!controller.signal.aborted) stop('what started it has ended');
  }, launcherCheckMs).unref();
  // A closed terminal cannot be written to; for a house that is no reason to end in disorder.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
  return {
    signal: controller.signal,
    get why() { return why; },
    onSecond(callback) { endNow = callback; },
  };
}
