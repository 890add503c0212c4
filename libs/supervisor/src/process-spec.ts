// What a supervisor is told of a process that it is to keep running (docs/architecture.md, "Supervision"), and what it tells of its memory.

/**
 * What is to run, and how it is talked to. It is read anew at each start: what may change from one to the next, such as an
 * address or a version, is a getter, which must not throw.
 */
export interface ProcessSpec {
  /** A name as of plugins and parts; its files are called by it. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * What is to be done before each start, also one that nobody asked for; the process is spawned when it resolves, with these variables
   * added to its environment. It must resolve in bounded time; a stop does not wait for it.
   */
  readonly prepare?: () => Promise<ProcessSpec['env']>;
  /** Asks it over the bus to stop. If it rejects, or without it, SIGTERM is sent at once. */
  readonly askStop?: (signal: AbortSignal) => Promise<void>;
  /** What it and all that it starts may hold in memory, in MiB; none without it. A breach is a failure. */
  readonly memoryLimitMb?: number | undefined;
  /** What it starts is supervised by itself, and its memory is not counted for it. */
  readonly supervises?: boolean;
  /** Whether its service is on the bus: makes a program ready that never says so itself. It must answer or reject in bounded time. */
  readonly isRegistered?: () => Promise<boolean>;
}

/** What a process holds in memory with all that it has started, and what it may hold, in MiB. */
export interface ProcessMemory {
  /** As of the last second; null while it does not run, or where that cannot be known. */
  readonly usedMb: number | null;
  /** Of its run; null without one. */
  readonly limitMb: number | null;
}
