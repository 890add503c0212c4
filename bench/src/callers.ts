// Callers that write one value after the other, each waiting for its answer: how much they get done together.

export interface Done {
  readonly writes: number;
  readonly perSecond: number;
  /** From the call to its answer, in the middle and for the slowest hundredth. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** @param write one write of a caller; resolves when it is acknowledged */
export async function writing(callers: number, seconds: number, write: (caller: number, value: number) => Promise<unknown>): Promise<Done> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const tookMs: number[] = [];
  const call = async (caller: number): Promise<void> => {
    for (let beginMs = startMs, value = 0; beginMs < endMs; value++) {
      await write(caller, value);
      const nowMs = performance.now();
      tookMs.push(nowMs - beginMs);
      beginMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  const all = performance.now() - startMs;
  tookMs.sort((one, other) => one - other);
  const at = (part: number): number => tookMs[Math.floor(tookMs.length * part)] ?? 0;
  return { writes: tookMs.length, perSecond: (tookMs.length * 1000) / all, medianMs: at(0.5), p99Ms: at(0.99) };
}
