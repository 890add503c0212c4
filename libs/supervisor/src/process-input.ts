// What happens to a supervised process, and what is to be done about it: the words between its machine, which decides, and
// the edge, which carries out. Pure types.

/** What happens to a process. The readiness inputs are the messages on its file descriptor 3. */
export type ProcessInput =
  | { readonly type: 'start' | 'stop' | 'restart' }
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'spawn-failed'; readonly reason: string }
  | { readonly type: 'starting' | 'alive' }
  | { readonly type: 'ready'; readonly facts?: ProcessFacts }
  | { readonly type: 'not-ready'; readonly reason: string }
  /** Its service is on the bus. */
  | { readonly type: 'registered' }
  /** The request to stop could not be made, or was refused. */
  | { readonly type: 'ask-failed' }
  /** It and what it started hold more memory than they may. */
  | { readonly type: 'memory-exceeded'; readonly usedMb: number; readonly limitMb: number }
  | ({ readonly type: 'exited' } & ProcessEnd & EndCircumstances)
  /** How it ended before is not told any more. */
  | { readonly type: 'forget-failure' }
  | { readonly type: 'tick' };

/** What is to be done: `kill` is SIGKILL to the process group, `ask-registration` wants `registered` if it is so. */
export type ProcessEffect = 'spawn' | 'ask-registration' | 'ask-stop' | 'terminate' | 'kill';

/** What a program told when it said that it is ready, such as the address that it is bound to. */
export type ProcessFacts = Readonly<Record<string, string>>;

/** How a process ended: one of the two is not null. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What its last run printed, and what else happened meanwhile; it says why a process ended. */
export interface EndCircumstances {
  /** The last lines that it printed in this run, oldest first. */
  readonly lastLines?: readonly string[];
  /** Whether the kernel has killed somebody for want of memory while it ran. */
  readonly memoryWasShort?: boolean;
}
