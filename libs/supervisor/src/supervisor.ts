// Keeps the processes of one supervising process running: `domus up` its parts, the manager its plugins
// (docs/architecture.md, "Supervision"). What happens to a process is decided by its machine; here are the names, the one
// timer, and those who wait.
import { randomUUID } from 'node:crypto';
import { componentName, type ProcessState, type ProcessStatus } from '@majordomus/contracts';
import { ensureFolder, StartError, systemClock, type Clock, type Log } from '@majordomus/runtime';
import { Guard } from './guard.ts';
import { LogFile, logDefaults, type LogLines, type LogSettings } from './log-file.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { ProcessEnd, ProcessFacts } from './process-input.ts';
import { machineDefaults, type MachineSettings } from './process-machine.ts';
import type { ProcessMemory, ProcessSpec } from './process-spec.ts';
import { RunRecords } from './run-records.ts';
import { SupervisedProcess } from './supervised-process.ts';
import { SupervisorError } from './supervisor-error.ts';
import { Waiters } from './waiters.ts';

export interface SupervisorOptions {
  /** Who supervises, e.g. `house` or `manager`: what an earlier run of it left over is its own to end. */
  readonly owner: string;
  /** `<home>/run`; several supervisors may share it. */
  readonly runFolder: string;
  /** `<home>/logs` */
  readonly logsFolder: string;
  readonly log: Log;
  readonly settings?: Partial<MachineSettings & LogSettings>;
  /** Given each line that a process prints, safe to show. */
  readonly echo?: (name: string, line: string) => void;
  readonly clock?: Clock;
  /** Numbers from 0 to below 1. */
  readonly random?: () => number;
  /** Whether the kernel is to kill the processes when this one ends, where it can (default true). */
  readonly deathSignal?: boolean;
}

/** A process is another than before. */
export interface StatusChange {
  readonly name: string;
  readonly status: ProcessStatus;
  readonly before: ProcessStatus;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

const settledStates = ['running', 'not-ready', 'backoff', 'failed', 'stopped'] as const satisfies readonly ProcessState[];
const endedStates = ['stopped', 'starting', 'backoff', 'failed'] as const satisfies readonly ProcessState[];

/** Every method that takes a name throws SupervisorError PROCESS_UNKNOWN for one that was not added. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #settings: MachineSettings & LogSettings;
  readonly #marker = randomUUID();
  readonly #records: RunRecords;
  readonly #processes = new Map<string, SupervisedProcess>();
  readonly #listeners = new Set<(change: StatusChange) => void>();
  readonly #waiters = new Waiters();
  readonly #guard: Guard;
  readonly #memoryWatch: MemoryWatch;
  #timer: { readonly deadlineMs: number; readonly timeout: NodeJS.Timeout } | undefined;
  #closed = false;

  /**
   * A supervisor with nothing to supervise yet. What the same owner left running (it was killed with -9, say) is ended first.
   * @throws StartError HOME_NOT_WRITABLE; HOME_IN_USE if the same owner still runs, whose processes are left alone
   */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    ensureFolder(options.runFolder);
    ensureFolder(options.logsFolder);
    const supervisor = new Supervisor(options);
    const other = supervisor.#records.livingOwner();
    if (other !== undefined) {
      await supervisor[Symbol.asyncDispose]();
      throw new StartError('HOME_IN_USE', `another ${options.owner} (process ${other}) runs what is in ${options.runFolder}, although its lock file is gone; stop it (kill ${other}), or choose another home with --home or DOMUS_HOME`);
    }
    for (const { name, pid, ended } of await supervisor.#records.endLeftovers()) {
      options.log.warn({ pid }, ended
        ? `ended ${name}, which an earlier run left behind`
        : `${name}, which an earlier run left behind, was killed and still runs; it may wait in the kernel for a device, and is ended as soon as that answers`);
    }
    return supervisor;
  }

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#settings = { ...machineDefaults, ...logDefaults, ...options.settings };
    this.#records = new RunRecords(options.runFolder, options.owner, this.#marker, { clock: this.#clock });
    this.#guard = new Guard({ marker: this.#marker, whose: `the guard of ${options.owner} in ${options.runFolder}`, log: options.log });
    this.#memoryWatch = new MemoryWatch(() => this.#processes.values(), options.log);
  }

  /**
   * Takes a process in, stopped, with the last lines of its log.
   * @throws SupervisorError PROCESS_EXISTS, PROCESS_NAME_INVALID, SUPERVISOR_CLOSED
   */
  add(spec: ProcessSpec): void {
    const { name } = spec;
    const { log, logsFolder, random = Math.random, deathSignal = true, echo } = this.#options;
    if (this.#closed) throw new SupervisorError('SUPERVISOR_CLOSED', `the supervisor has stopped and takes no more processes such as ${name}`);
    if (this.#processes.has(name)) throw new SupervisorError('PROCESS_EXISTS', `${name} is supervised already; remove it first`);
    if (!componentName.safeParse(name).success) throw new SupervisorError('PROCESS_NAME_INVALID', `${JSON.stringify(name)} cannot be the name of a process: its files are called by it`);
    const logFile = new LogFile(logsFolder, name, this.#settings, (error) => {
      log.error({ err: error }, `the log of ${name} cannot be written; its lines are only in memory`);
    });
    this.#processes.set(name, new SupervisedProcess(spec, logFile, {
      clock: this.#clock,
      log,
      random,
      settings: this.#settings,
      records: this.#records,
      guard: this.#guard,
      deathSignal,
      echo,
      onInput: (process, before) => this.#afterInput(process, before),
    }));
  }

  /** Stops a process and forgets it; its log stays on disk. */
  async remove(name: string): Promise<void> {
    const process = this.#process(name);
    while (process.status.state !== 'stopped') await this.stop(name);
    if (this.#processes.get(name) !== process) return;
    this.#processes.delete(name);
    process.logFile.close();
    this.#waiters.reject(new SupervisorError('PROCESS_UNKNOWN', `${name} was removed`), name);
  }

  get(name: string): ProcessStatus {
    return this.#process(name).status;
  }

  has(name: string): boolean {
    return this.#processes.has(name);
  }

  /** In the order in which they were added. */
  list(): (ProcessStatus & { readonly name: string })[] {
    return [...this.#processes].map(([name, { status }]) => ({ name, ...status }));
  }

  /** What the process told when it became ready, such as the address it is bound to. */
  facts(name: string): ProcessFacts {
    return this.#process(name).facts;
  }

  /** How the process ended the last time, asked or not: its exit code tells what its status only shows. */
  lastEnd(name: string): ProcessEnd | undefined {
    return this.#process(name).lastEnd;
  }

  /** Forgets how the process ended before: it is going to be another program, whose failures those were not. */
  forgetFailure(name: string): void {
    this.#process(name).forgetFailure();
  }

  /** The last lines of the run that ended unasked last, and whose end is the `lastError` of its status; none if there was none. */
  lastWords(name: string): readonly string[] {
    return this.#process(name).lastWords;
  }

  /** What the process holds in memory with all that it has started, looked at each second, and what it may hold. */
  memory(name: string): ProcessMemory {
    return this.#process(name).memory;
  }

  /** The last lines that a process printed, safe to show; `after` reads on from an earlier `next`. */
  logs(name: string, request: { readonly lines: number; readonly after?: number | undefined }): LogLines {
    return this.#process(name).logFile.read(request);
  }

  /**
   * Starts a process, at once also when it waits for its next try; if it is stopping, after its end. Await `settled` for what came of it.
   * @throws SupervisorError SUPERVISOR_CLOSED
   */
  start(name: string): void {
    this.#assertOpen(name);
    this.#process(name).apply({ type: 'start' });
  }

  /**
   * Stops a process and starts it again.
   * @throws SupervisorError SUPERVISOR_CLOSED
   */
  restart(name: string): void {
    this.#assertOpen(name);
    this.#process(name).apply({ type: 'restart' });
  }

  /** Resolves when the process has ended; it is then stopped, unless it was started meanwhile. */
  async stop(name: string): Promise<ProcessStatus> {
    this.#process(name).apply({ type: 'stop' });
    return await this.until(name, endedStates);
  }

  /**
   * Stops everything: first, together, what is in no group, then each group in turn. Names that are not supervised are skipped.
   */
  async stopAll(groups: readonly (readonly string[])[] = []): Promise<void> {
    const named = new Set(groups.flat());
    const unnamed = [...this.#processes.keys()].filter((name) => !named.has(name));
    for (const group of [unnamed, ...groups]) {
      await Promise.all(group.filter((name) => this.has(name)).map((name) => this.stop(name)));
    }
  }

  /** SIGKILL to everything at once, for who cannot wait any longer; nothing is started again. */
  killAll(): void {
    for (const process of this.#processes.values()) {
      process.apply({ type: 'stop' });
      process.kill();
    }
  }

  /**
   * Resolves when the process is in one of the states, at once if it is.
   * @throws SupervisorError ABORTED, PROCESS_UNKNOWN if it is removed, SUPERVISOR_CLOSED when the supervisor has stopped
   */
  async until(name: string, states: readonly ProcessState[], { signal }: WaitOptions = {}): Promise<ProcessStatus> {
    const { status } = this.#process(name);
    return states.includes(status.state) ? status : await this.#waiters.until(name, states, signal);
  }

  /** Resolves when the process runs and has said so; throws as `until`. */
  async ready(name: string, options: WaitOptions = {}): Promise<ProcessStatus> {
    return await this.until(name, ['running'], options);
  }

  /** Resolves when it is known what came of a start: it is ready, or its status says why not; throws as `until`. */
  async settled(name: string, options: WaitOptions = {}): Promise<ProcessStatus> {
    return await this.until(name, settledStates, options);
  }

  /** Tells of every change of any status; what is returned ends it. */
  onChange(listener: (change: StatusChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Stops what still runs, all at once, and takes nothing more. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.stopAll();
    for (const pid of this.#records.endStrays()) this.#options.log.warn({ pid }, 'ended a process that one of ours had started and let go of');
    for (const { logFile } of this.#processes.values()) logFile.close();
    this.#memoryWatch[Symbol.dispose]();
    // Last: until everything has ended, it is needed.
    await this.#guard[Symbol.asyncDispose]();
    this.#waiters.close(new SupervisorError('SUPERVISOR_CLOSED', 'the supervisor has stopped'));
  }

  #process(name: string): SupervisedProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new SupervisorError('PROCESS_UNKNOWN', `${name} is not supervised here; supervised: ${[...this.#processes.keys()].join(', ') || 'nothing'}`);
    return process;
  }

  #assertOpen(name: string): void {
    if (this.#closed) throw new SupervisorError('SUPERVISOR_CLOSED', `the supervisor has stopped and does not start ${name}`);
  }

  #afterInput(process: SupervisedProcess, before: ProcessStatus | undefined): void {
    this.#arm();
    if (before === undefined) return;
    const { status, spec: { name } } = process;
    this.#waiters.tell(name, status);
    for (const listener of this.#listeners) {
      try {
        listener({ name, status, before });
      } catch (error) {
        this.#options.log.error({ err: error }, `a listener failed on a change of ${name}`);
      }
    }
  }

  /** The one timer stands at the earliest deadline of all machines. */
  #arm(): void {
    const deadlineMs = Math.min(...[...this.#processes.values()].map((process) => process.deadlineMs ?? Infinity));
    if (this.#timer?.deadlineMs === deadlineMs) return;
    clearTimeout(this.#timer?.timeout);
    this.#timer = deadlineMs === Infinity
      ? undefined
      : { deadlineMs, timeout: setTimeout(() => this.#tick(), Math.max(0, deadlineMs - this.#clock.monotonicMs())) };
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const process of this.#processes.values()) if ((process.deadlineMs ?? Infinity) <= nowMs) process.apply({ type: 'tick' });
    this.#arm();
  }
}
