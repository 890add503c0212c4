// The states of one supervised process (docs/architecture.md, "Supervision"). Pure: inputs and the time go in, effects
// and the next deadline come out; it spawns nothing, reads no clock and logs nothing.
//
// Rules
// 1. There is one process at a time: `spawn` is followed by `exited` or `spawn-failed` before the next `spawn`.
// 2. `running` is what the program says itself, or, of one that never spoke, that its service is on the bus. No word of
//    being ready within the bound is `not-ready`: neither success nor a reason to kill.
// 3. Every end that nobody asked for, every hang and every breach of the memory limit is one and the same failure; the policy
//    says when to try again. One that was failed is on trial until its uptime is calm, however well it runs meanwhile.
// 4. Who has spoken must go on speaking, else it hangs and is killed. A gap in the supervisor's own time (it was
//    suspended) is not the child's silence.
// 5. A stop is asked over the bus, then SIGTERM, then SIGKILL, each with its bound; an end asked for is `stopped`.
// 6. Whenever something is waited for that may never come, there is a deadline.
//
// state     | start | stop     | restart  | says ready | says not-ready | ended         | time passes
// ----------|-------|----------|----------|------------|----------------|---------------|---------------------------
// stopped   | spawn | –        | spawn    |            |                |               |
// starting  | –     | stopping | stopping | running    | not-ready      | failure       | not-ready; silent: kill
// running   | –     | stopping | stopping | –          | not-ready      | failure       | silent: kill
// not-ready | –     | stopping | stopping | running    | new reason     | failure       | silent: kill
// stopping  | again | no again | again    | –          | –              | stopped/spawn | SIGTERM, SIGKILL, SIGKILL…
// backoff   | spawn | stopped  | spawn    |            |                |               | spawn
// failed    | spawn | stopped  | spawn    |            |                |               | spawn
//
// `spawn` goes to starting, a failure to backoff or failed. What hangs or holds too much memory is condemned: it is killed, and
// shows as not-ready, with why, until it is gone.
import type { ProcessState, ProcessStatus } from '@majordomus/contracts';
import { condemnationText, endReason, spawnFailure, type Condemnation } from './end-reason.ts';
import type { ProcessEffect, ProcessFacts, ProcessInput } from './process-input.ts';
import { RestartPolicy, restartDefaults, type RestartSettings } from './restart-policy.ts';
import { Silence } from './silence.ts';

export interface MachineSettings extends RestartSettings {
  /** How long a process may take to say that it is ready before it is called `not-ready`. */
  readonly readyLimitMs: number;
  /** How long a process that has spoken may be silent before it is taken as hung. */
  readonly aliveLimitMs: number;
  /** How long an end is awaited after asking over the bus. */
  readonly askLimitMs: number;
  /** How long an end is awaited after SIGTERM, and then after each SIGKILL. */
  readonly terminateLimitMs: number;
  /** How often a silent program's registration is looked for. */
  readonly registrationIntervalMs: number;
}

export const machineDefaults: MachineSettings = {
  ...restartDefaults,
  readyLimitMs: 10_000,
  aliveLimitMs: 10_000,
  askLimitMs: 1500,
  terminateLimitMs: 1500,
  registrationIntervalMs: 500,
};

/** The status but for wall time, which only the edge knows. */
export type ProcessView = Omit<ProcessStatus, 'sinceMs'>;

/** One process, from its spawn to its end. */
interface Run {
  readonly spawnedMs: number;
  pid: number | null;
  nextAskMs: number;
  /** Since its last word; undefined if it has never spoken. */
  silence?: Silence;
  /** What it is killed for; until when its end is awaited. */
  condemned?: { readonly why: Condemnation; untilMs: number };
  facts: ProcessFacts;
}

interface Stop {
  step: 'asked' | 'terminated' | 'killed';
  untilMs: number;
  again: boolean;
}

export class ProcessMachine {
  readonly #settings: MachineSettings;
  readonly #policy: RestartPolicy;
  readonly #asksRegistration: boolean;
  #state: ProcessState = 'stopped';
  #reason = '';
  #lastError = '';
  #restarts = 0;
  #run: Run | undefined;
  #stop: Stop | undefined;
  #retryMs: number | undefined;

  /** `random` returns numbers from 0 to below 1. */
  constructor(settings: MachineSettings, random: () => number, { asksRegistration = false } = {}) {
    this.#settings = settings;
    this.#policy = new RestartPolicy(settings, random);
    this.#asksRegistration = asksRegistration;
  }

  get view(): ProcessView {
    return { state: this.#state, pid: this.#run?.pid ?? null, restarts: this.#restarts, reason: this.#reason, lastError: this.#lastError };
  }

  /** Of the process that runs now; empty before it is ready. */
  get facts(): ProcessFacts {
    return this.#run?.facts ?? {};
  }

  /** When the next `tick` is due, on the clock of `nowMs`; undefined if nothing is waited for. */
  get deadlineMs(): number | undefined {
    if (this.#stop !== undefined) return this.#stop.untilMs;
    if (this.#retryMs !== undefined) return this.#retryMs;
    const run = this.#run;
    if (run === undefined) return undefined;
    if (run.condemned !== undefined) return run.condemned.untilMs;
    const deadlines: number[] = [];
    if (this.#state === 'starting') deadlines.push(run.spawnedMs + this.#settings.readyLimitMs);
    if (this.#awaitsRegistration(run)) deadlines.push(run.nextAskMs);
    if (run.silence !== undefined) deadlines.push(run.silence.deadlineMs);
    if (this.#policy.isOnTrial) deadlines.push(this.#calmMs(run));
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  /** `nowMs` is of a clock that never goes back. The effects are to be carried out in their order. */
  handle(input: ProcessInput, nowMs: number): readonly ProcessEffect[] {
    switch (input.type) {
      case 'start':
        return this.#start(nowMs);
      case 'stop':
        return this.#askStop(nowMs, false);
      case 'restart':
        return this.#run === undefined ? this.#start(nowMs) : this.#askStop(nowMs, true);
      case 'spawned':
        return this.#spawned(input.pid);
      case 'spawn-failed':
        return this.#ended(spawnFailure(input.reason), nowMs);
      case 'exited':
        return this.#ended(endReason({ ...input, condemned: this.#run?.condemned?.why }), nowMs);
      case 'starting':
      case 'alive':
        this.#heard(nowMs);
        return [];
      case 'ready':
        if (this.#heard(nowMs)) this.#becomeReady(input.facts);
        return [];
      case 'not-ready':
        if (this.#heard(nowMs)) this.#become('not-ready', input.reason);
        return [];
      case 'memory-exceeded':
        return this.#condemn({ for: 'memory', usedMb: input.usedMb, limitMb: input.limitMb }, nowMs);
      case 'registered':
        if (this.#run !== undefined && this.#awaitsRegistration(this.#run)) this.#becomeReady();
        return [];
      case 'ask-failed':
        return this.#stop?.step === 'asked' ? this.#nextStopStep(this.#stop, nowMs) : [];
      case 'forget-failure':
        this.#lastError = '';
        return [];
      case 'tick':
        return this.#tick(nowMs);
      default:
        return input satisfies never;
    }
  }

  #start(nowMs: number): readonly ProcessEffect[] {
    if (this.#stop !== undefined) this.#stop.again = true;
    if (this.#run !== undefined) return [];
    return this.#spawnByHand(nowMs);
  }

  #spawnByHand(nowMs: number): readonly ProcessEffect[] {
    this.#policy.reset();
    this.#restarts = 0;
    return this.#spawn(nowMs);
  }

  #spawn(nowMs: number): readonly ProcessEffect[] {
    this.#retryMs = undefined;
    this.#run = { spawnedMs: nowMs, pid: null, nextAskMs: nowMs + this.#settings.registrationIntervalMs, facts: {} };
    this.#become('starting');
    return ['spawn'];
  }

  #spawned(pid: number): readonly ProcessEffect[] {
    if (this.#run === undefined) return [];
    this.#run.pid = pid;
    // A signal that was due before there was a process to get it.
    if (this.#stop?.step === 'terminated') return ['terminate'];
    return this.#stop?.step === 'killed' ? ['kill'] : [];
  }

  #askStop(nowMs: number, again: boolean): readonly ProcessEffect[] {
    if (this.#stop !== undefined) {
      this.#stop.again = again;
      return [];
    }
    if (this.#run === undefined) {
      this.#retryMs = undefined;
      this.#become('stopped');
      return [];
    }
    const { condemned } = this.#run;
    this.#become('stopping');
    this.#stop = condemned === undefined
      ? { step: 'asked', untilMs: nowMs + this.#settings.askLimitMs, again }
      : { step: 'killed', untilMs: condemned.untilMs, again };
    return condemned === undefined ? ['ask-stop'] : [];
  }

  #nextStopStep(stop: Stop, nowMs: number): readonly ProcessEffect[] {
    const terminate = stop.step === 'asked';
    stop.step = terminate ? 'terminated' : 'killed';
    stop.untilMs = nowMs + this.#settings.terminateLimitMs;
    return [terminate ? 'terminate' : 'kill'];
  }

  #ended(reason: string, nowMs: number): readonly ProcessEffect[] {
    const run = this.#run;
    const stop = this.#stop;
    if (run === undefined) return [];
    this.#run = undefined;
    this.#stop = undefined;
    if (stop?.again === true) return this.#spawnByHand(nowMs);
    if (stop !== undefined) {
      this.#become('stopped');
      return [];
    }
    const { state, delayMs } = this.#policy.failure(nowMs, nowMs - run.spawnedMs);
    this.#retryMs = nowMs + delayMs;
    this.#lastError = reason;
    this.#become(state, state === 'failed' ? `${reason}; it ended too often and is tried again every ${this.#settings.slowRetryMs / 1000} s` : reason);
    return [];
  }

  /** A word on file descriptor 3; false if nobody listens any more. */
  #heard(nowMs: number): boolean {
    const run = this.#run;
    if (run === undefined || run.condemned !== undefined || this.#stop !== undefined) return false;
    run.silence = new Silence(this.#settings.aliveLimitMs, nowMs);
    return true;
  }

  #becomeReady(facts: ProcessFacts = {}): void {
    if (this.#run !== undefined) this.#run.facts = facts;
    this.#becomeRunning();
  }

  /** `running`, with a word of warning while it is on trial. */
  #becomeRunning(): void {
    this.#become('running', this.#policy.isOnTrial ? `on trial: it ended too often, and one more end within ${this.#settings.windowMs / 1000} s of its start makes it failed again at once` : '');
  }

  #awaitsRegistration(run: Run): boolean {
    const waits = this.#state === 'starting' || this.#state === 'not-ready';
    return this.#asksRegistration && waits && run.silence === undefined && run.condemned === undefined;
  }

  #tick(nowMs: number): readonly ProcessEffect[] {
    if (this.#stop !== undefined) return nowMs < this.#stop.untilMs ? [] : this.#nextStopStep(this.#stop, nowMs);
    if (this.#retryMs !== undefined) {
      if (nowMs < this.#retryMs) return [];
      this.#restarts += 1;
      return this.#spawn(nowMs);
    }
    return this.#run === undefined ? [] : this.#watch(this.#run, nowMs);
  }

  #watch(run: Run, nowMs: number): readonly ProcessEffect[] {
    const { aliveLimitMs, readyLimitMs, terminateLimitMs, registrationIntervalMs } = this.#settings;
    if (run.condemned !== undefined) {
      if (nowMs < run.condemned.untilMs) return [];
      run.condemned.untilMs = nowMs + terminateLimitMs;
      return ['kill'];
    }
    run.silence?.check(nowMs);
    if (run.silence?.isTooLong === true) return this.#condemn({ for: 'silence', limitMs: aliveLimitMs }, nowMs);
    if (this.#policy.isOnTrial && nowMs >= this.#calmMs(run)) this.#acquit();
    if (this.#state === 'starting' && nowMs >= run.spawnedMs + readyLimitMs) this.#become('not-ready', 'has not said that it is ready');
    if (!this.#awaitsRegistration(run) || nowMs < run.nextAskMs) return [];
    run.nextAskMs = nowMs + registrationIntervalMs;
    return ['ask-registration'];
  }

  /** Kills it, and goes on until it is gone. What stops already has its own bounds. */
  #condemn(why: Condemnation, nowMs: number): readonly ProcessEffect[] {
    const run = this.#run;
    if (run === undefined || run.condemned !== undefined || this.#stop !== undefined) return [];
    run.condemned = { why, untilMs: nowMs + this.#settings.terminateLimitMs };
    this.#become('not-ready', condemnationText(why));
    return ['kill'];
  }

  /** When its uptime is calm, if it does not end before. */
  #calmMs({ spawnedMs }: Run): number {
    return spawnedMs + this.#settings.windowMs;
  }

  #acquit(): void {
    this.#policy.reset();
    if (this.#state === 'running') this.#becomeRunning();
  }

  #become(state: ProcessState, reason = ''): void {
    this.#state = state;
    this.#reason = reason;
  }
}
