// One process machine with its child, its log and its record: the inputs it gets and the effects it wants. It decides
// nothing.
import type { ProcessState, ProcessStatus } from '@majordomus/contracts';
import type { Clock, Log } from '@majordomus/runtime';
import { escapeControls, reasonOf } from '@majordomus/runtime';
import { cutLine } from './lines.ts';
import type { Guard } from './guard.ts';
import type { LogFile } from './log-file.ts';
import type { MemoryOwner } from './memory-table.ts';
import type { ProcessEffect, ProcessEnd, ProcessFacts, ProcessInput } from './process-input.ts';
import { ProcessMachine, type MachineSettings, type ProcessView } from './process-machine.ts';
import type { ProcessMemory, ProcessSpec } from './process-spec.ts';
import { memoryKills } from './process-table.ts';
import type { RunRecords } from './run-records.ts';
import { spawnChild, type Child } from './spawner.ts';

/** What a process needs of its supervisor. */
export interface ProcessContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly settings: MachineSettings;
  readonly records: RunRecords;
  readonly guard: Guard;
  readonly deathSignal: boolean;
  readonly echo: ((name: string, line: string) => void) | undefined;
  /** Called after each input; `before` is what the status was if it changed. */
  readonly onInput: (process: SupervisedProcess, before: ProcessStatus | undefined) => void;
}

export class SupervisedProcess {
  readonly spec: ProcessSpec;
  readonly logFile: LogFile;
  readonly #context: ProcessContext;
  readonly #log: Log;
  readonly #machine: ProcessMachine;
  readonly #inputs: ProcessInput[] = [];
  #status: ProcessStatus;
  #child: Child | undefined;
  /** The start that is being prepared, while there is no child yet. */
  #preparing: symbol | undefined;
  #lastEnd: ProcessEnd | undefined;
  #lastWords: readonly string[] = [];
  #memory: ProcessMemory = noMemory;
  /** Fires when the request to stop is past. */
  #asking: AbortController | undefined;
  /** Of whom it is being asked whether it is registered: one question at a time. */
  #registrationAsked: Child | undefined;

  constructor(spec: ProcessSpec, logFile: LogFile, context: ProcessContext) {
    this.spec = spec;
    this.logFile = logFile;
    this.#context = context;
    this.#log = context.log.child({ process: spec.name });
    this.#machine = new ProcessMachine(context.settings, context.random, { asksRegistration: spec.isRegistered !== undefined });
    this.#status = { ...this.#machine.view, sinceMs: context.clock.wallMs() };
  }

  get status(): ProcessStatus {
    return this.#status;
  }

  get facts(): ProcessFacts {
    return this.#machine.facts;
  }

  /** How it ended the last time, asked or not. */
  get lastEnd(): ProcessEnd | undefined {
    return this.#lastEnd;
  }

  /** The last lines of the run that ended unasked last, whose end `lastError` tells. */
  get lastWords(): readonly string[] {
    return this.#lastWords;
  }

  get memory(): ProcessMemory {
    return this.#memory;
  }

  /** Whose memory is whose, for the look at it; undefined while it does not run. */
  get memoryOwner(): (MemoryOwner & { readonly pid: number }) | undefined {
    const { pid } = this.#status;
    const { limitMb } = this.#memory;
    return pid === null ? undefined : {
      pid,
      withDescendants: this.spec.supervises !== true,
      marker: this.#context.records.markerOf(this.spec.name),
      limitBytes: limitMb === null ? undefined : limitMb * bytesPerMb,
    };
  }

  /** It holds so many bytes, with all that it has started. */
  holds(bytes: number): void {
    const usedMb = Math.ceil(bytes / bytesPerMb);
    const { limitMb } = this.#memory;
    this.#memory = { usedMb, limitMb };
    if (limitMb !== null && usedMb > limitMb) this.apply({ type: 'memory-exceeded', usedMb, limitMb });
  }

  /** How it ended before tells nothing of what it is from now on: another version, say. */
  forgetFailure(): void {
    this.#lastWords = [];
    this.apply({ type: 'forget-failure' });
  }

  /** On the monotonic clock. */
  get deadlineMs(): number | undefined {
    return this.#machine.deadlineMs;
  }

  /** Takes an input, carries out what follows, and returns when nothing more follows at once. */
  apply(input: ProcessInput): void {
    this.#inputs.push(input);
    // An effect or a listener of an earlier input gave it: it is next.
    if (this.#inputs.length > 1) return;
    for (let next: ProcessInput | undefined = input; next !== undefined; [next] = this.#inputs) {
      const effects = this.#machine.handle(next, this.#context.clock.monotonicMs());
      const before = this.#noteStatus();
      for (const effect of effects) this.#carryOut(effect);
      this.#context.onInput(this, before);
      this.#inputs.shift();
    }
  }

  /** SIGKILL to its group at once, if it runs. */
  kill(): void {
    this.#child?.kill();
  }

  /** The status before, if it changed. Wall time is read here, and only here. */
  #noteStatus(): ProcessStatus | undefined {
    const before = this.#status;
    const { view } = this.#machine;
    if ((Object.keys(view) as (keyof ProcessView)[]).every((key) => view[key] === before[key])) return undefined;
    this.#status = { ...view, sinceMs: view.state === before.state ? before.sinceMs : this.#context.clock.wallMs() };
    if (view.state !== before.state || view.reason !== before.reason) this.#tell(view);
    return before;
  }

  #tell({ state, reason, pid }: ProcessView): void {
    const text = reason === '' ? words[state] : `${words[state]}: ${reason}`;
    this.#log[levels[state]](pid === null ? {} : { pid }, `${this.spec.name} ${text}`);
  }

  #carryOut(effect: ProcessEffect): void {
    switch (effect) {
      case 'spawn':
        return this.#prepare();
      case 'ask-registration':
        return this.#askRegistration();
      case 'ask-stop':
        return this.#askStop();
      case 'terminate':
        this.#asking?.abort();
        return this.#child?.terminate();
      case 'kill':
        return this.#child?.kill();
      default:
        effect satisfies never;
    }
  }

  #prepare(): void {
    const { name, prepare } = this.spec;
    if (prepare === undefined) return this.#spawn();
    const start = Symbol(name);
    this.#preparing = start;
    const then = (next: () => void): void => {
      // Else it was stopped meanwhile.
      if (this.#preparing !== start) return;
      this.#preparing = undefined;
      next();
    };
    prepare().then(
      (prepared) => then(() => this.#spawn(prepared)),
      (error: unknown) => then(() => this.#end({ type: 'spawn-failed', reason: reasonOf(error) }, [])),
    );
  }

  #spawn(prepared: ProcessSpec['env'] = {}): void {
    const { name, command, cwd, memoryLimitMb = null } = this.spec;
    const env = { ...this.spec.env, ...prepared };
    const { records, guard, deathSignal } = this.#context;
    const firstLine = this.logFile.next;
    const killsBefore = memoryKills();
    let garbled = 0;
    let group: number | undefined;
    this.#memory = { usedMb: null, limitMb: memoryLimitMb };
    this.#child = spawnChild({ command, cwd, env, marker: records.markerOf(name), deathSignal }, {
      spawned: (pid) => {
        group = pid;
        guard.watch(pid);
        this.#onDisk(() => records.write(name, pid));
        this.apply({ type: 'spawned', pid });
      },
      failed: (reason) => this.#end({ type: 'spawn-failed', reason }, []),
      said: ({ state, ...rest }) => this.apply({ type: state, ...rest } as ProcessInput),
      garbled: (line) => {
        garbled += 1;
        if (garbled === 1) this.#log.warn({ line: cutLine(escapeControls(line), 200) }, `${name} says on file descriptor 3 what is no message; it is ignored`);
      },
      printed: (lines) => {
        for (const line of this.logFile.append(lines)) this.#context.echo?.(name, line);
      },
      ended: (end) => {
        if (garbled > 1) this.#log.warn({ garbled }, `${name} said ${garbled} lines that were ignored`);
        this.#child = undefined;
        this.#lastEnd = end;
        this.#asking?.abort();
        for (const pid of records.endStrays(name)) this.#log.info({ pid }, `ended a process that ${name} had started and let go of`);
        if (group !== undefined) guard.forget(group);
        this.#onDisk(() => records.remove(name));
        const { lines: lastLines } = this.logFile.read({ lines: Math.min(linesOfAnEnd, this.logFile.next - firstLine) });
        this.#end({ type: 'exited', ...end, lastLines, memoryWasShort: memoryKills() > killsBefore }, lastLines);
      },
    });
  }

  /** Its run is over; of one that nobody asked for the last words are kept. */
  #end(input: ProcessInput, lastLines: readonly string[]): void {
    this.#memory = noMemory;
    if (this.#status.state !== 'stopping') this.#lastWords = lastLines.slice(-lastWordsCount);
    this.apply(input);
  }

  #askRegistration(): void {
    const { isRegistered } = this.spec;
    if (isRegistered === undefined || this.#registrationAsked === this.#child) return;
    this.#registrationAsked = this.#child;
    this.#whileItRuns(isRegistered, (registered) => {
      this.#registrationAsked = undefined;
      if (registered === true) this.apply({ type: 'registered' });
    });
  }

  #askStop(): void {
    if (this.#preparing !== undefined) {
      this.#preparing = undefined;
      return this.#end({ type: 'spawn-failed', reason: 'it was stopped before it was spawned' }, []);
    }
    const asking = new AbortController();
    this.#asking = asking;
    const { askStop } = this.spec;
    if (askStop === undefined) return this.apply({ type: 'ask-failed' });
    this.#whileItRuns(async () => {
      await askStop(asking.signal);
      return true;
    }, (asked) => {
      if (asked === undefined) this.apply({ type: 'ask-failed' });
    });
  }

  /**
   * Hands over the answer, undefined if there was none. What comes when another process runs, or none, is not about
   * this one and is dropped.
   */
  #whileItRuns<T>(ask: () => Promise<T>, then: (answer: T | undefined) => void): void {
    const child = this.#child;
    const answer = async (): Promise<void> => {
      let value: T | undefined;
      try {
        value = await ask();
      } catch (error) {
        this.#log.debug({ err: error }, `${this.spec.name} could not be asked`);
      }
      if (this.#child === child) then(value);
    };
    void answer();
  }

  /** A full disk must not end the supervision: without its record a process is only not found after a kill -9 of ours. */
  #onDisk(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#log.warn({ err: error }, `the record of ${this.spec.name} cannot be written`);
    }
  }
}

const noMemory: ProcessMemory = { usedMb: null, limitMb: null };
const bytesPerMb = 2 ** 20;
/** In so many lines of the end is looked for why it ended: V8 prints a trace of the stack after it has said that it is out of memory. */
const linesOfAnEnd = 60;
const lastWordsCount = 20;

const levels = {
  stopped: 'info',
  starting: 'debug',
  running: 'info',
  'not-ready': 'warn',
  stopping: 'debug',
  backoff: 'warn',
  failed: 'error',
} as const satisfies Record<ProcessState, string>;

/** The states as the end of a sentence about the process. */
const words = {
  stopped: 'is stopped',
  starting: 'is starting',
  running: 'is running',
  'not-ready': 'is not ready',
  stopping: 'is stopping',
  backoff: 'ended, and starts again soon',
  failed: 'failed',
} as const satisfies Record<ProcessState, string>;
