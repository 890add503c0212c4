// When a house in a terminal is told to stop: Ctrl-C, SIGTERM, a terminal that closes. The second time means at once.

export interface StopSignals {
  readonly signal: AbortSignal;
  /** What it was, for the person. */
  readonly why: string;
  /** Called before this process ends at once. */
  onSecond(endNow: () => void): void;
}

/** Within a moment of the first, the same press of Ctrl-C has come twice: by the terminal and by a parent that passed it on. */
const sameStopMs = 300;

export function watchForStop(): StopSignals {
  const controller = new AbortController();
  let why = 'stopped';
  let firstMs = 0;
  let endNow = (): void => {};
  const stop = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      why = signal === 'SIGINT' ? 'Ctrl-C' : signal === 'SIGHUP' ? 'the terminal closed' : signal;
      firstMs = performance.now();
      controller.abort();
    } else if (performance.now() - firstMs > sameStopMs) {
      endNow();
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  // A closed terminal cannot be written to; that is no reason to end in disorder.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    signal: controller.signal,
    get why() { return why; },
    onSecond(callback) { endNow = callback; },
  };
}
