// What can be said of a supervised process, be it a part of the house or a plugin: how it is, and what it printed.
import { z } from 'zod';

/**
 * `not-ready`: it runs, and says what it waits for. `backoff`: it ended and is started again soon. `failed`: it ended
 * too often; it is tried again slowly, for ever.
 */
export const processStates = ['stopped', 'starting', 'running', 'not-ready', 'stopping', 'backoff', 'failed'] as const;
export type ProcessState = (typeof processStates)[number];

export const processStatus = z.object({
  state: z.enum(processStates).describe('how it is'),
  sinceMs: z.number().describe('since when it is in this state, milliseconds since the Unix epoch'),
  pid: z.number().int().nullable().describe('its process, if it has one'),
  restarts: z.number().int().describe('how often it was started again by itself since it was last started by hand'),
  reason: z.string().describe('what it waits for, or why it is not running; empty if all is well'),
  lastError: z.string().describe('how it last ended unasked, or empty'),
});
export type ProcessStatus = z.infer<typeof processStatus>;

/** What a process holds in memory, for a contract to add to its status. */
export const processMemory = z.object({
  memoryMb: z.number().int().nullable().describe('what it and what it has started hold in memory, in MiB, as of the last second; null while it does not run'),
  memoryLimitMb: z.number().int().nullable().describe('what they may hold; past it, it is killed and started again; null without a limit'),
});

/** What is asked of the log of a process, and the answer; a contract adds whose log it is. */
export const logRequest = z.object({
  lines: z.number().int().min(1).max(1000).default(50).describe('how many of the last lines'),
  after: z.number().int().min(0).optional().describe('only lines after this position, the `next` of an earlier reply'),
});
export const logReply = z.object({
  lines: z.array(z.string()).describe('the lines, oldest first'),
  next: z.number().int().describe('the position to read on from, as `after`'),
});
