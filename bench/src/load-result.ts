// What a load of requests came to. The generators, in C and in Node, print it as one line of JSON.
import { z } from 'zod';
import { BenchFailure } from './failure.ts';

const count = z.int().nonnegative();

const partSchema = z.object({
  requests: count,
  seconds: z.number().positive(),
  /** From a request to its answer. */
  p50Us: z.number(),
  p99Us: z.number(),
  /** Processor time of the broker, of all its threads. */
  brokerUs: z.number().optional(),
});

const resultSchema = z.object({
  sent: count,
  /** Never answered. */
  lost: count,
  repeated: count,
  /** Answered to another client. */
  foreign: count,
  /** Answered with something else than what was sent. */
  wrong: count,
  /** The first requests of a fresh broker, and those after them. */
  cold: partSchema,
  warm: partSchema,
});

export type LoadResult = z.infer<typeof resultSchema>;
type LoadPart = LoadResult['cold'];

/** @throws BenchFailure RESULT_UNREADABLE */
export function readLoadResult(text: string): LoadResult {
  try {
    return resultSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BenchFailure('RESULT_UNREADABLE', `what the generator printed is no result: ${text.slice(0, 300)}`, { cause });
  }
}

/** The best of several rounds. */
export interface LoadSummary {
  /** Warm; so are the times. */
  readonly perSecond: number;
  readonly coldPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Processor time of the broker for each request. */
  readonly brokerUs: number | undefined;
  /** Requests of all rounds without their one right answer. */
  readonly lost: number;
}

const rate = ({ requests, seconds }: LoadPart): number => requests / seconds;

/** All numbers of the warm part are of one and the same round, that of the highest rate; what was lost counts in every round. */
export function summaryOf(results: readonly LoadResult[]): LoadSummary | undefined {
  const [best] = results.toSorted((one, other) => rate(other.warm) - rate(one.warm));
  if (best === undefined) return undefined;
  const { warm } = best;
  return {
    perSecond: rate(warm),
    coldPerSecond: Math.max(...results.map(({ cold }) => rate(cold))),
    p50Us: warm.p50Us,
    p99Us: warm.p99Us,
    brokerUs: warm.brokerUs === undefined ? undefined : warm.brokerUs / warm.requests,
    lost: results.reduce((sum, { lost, repeated, foreign, wrong }) => sum + lost + repeated + foreign + wrong, 0),
  };
}
