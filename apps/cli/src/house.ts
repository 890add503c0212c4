// A running house: the core parts of this host, supervised, and itself on the bus as `<host>.house`.
import { hostService, partList, partLog, refuse } from '@majordomus/contracts';
import { Handlers, Worker } from '@majordomus/mq';
import { didYouMean, exitCannotStart, homePaths, majordomusVersion, StartError, type Log } from '@majordomus/runtime';
import { Supervisor, type StatusChange } from '@majordomus/supervisor';
import { partNames, partProgram, stopOrder, type PartName } from './parts.ts';
import { forgetRunning, tellRunning } from './running-house.ts';
import type { CliSettings } from './session.ts';

/** How long an orderly stop may take before everything that is left is killed. */
const stopLimitMs = 4500;
/** What a part may take to end after SIGTERM; the manager stops its plugins in it. */
const terminateLimitMs = 3500;
const workerCapacity = 16;

export interface HouseOptions {
  readonly settings: CliSettings;
  /** Whether plugins start with the house. */
  readonly plugins: boolean;
  readonly log: Log;
  /** Given each line that a part prints. */
  readonly echo: (part: string, line: string) => void;
  /** Told what the start is doing. */
  readonly onProgress: (text: string) => void;
}

export class House implements AsyncDisposable {
  readonly #settings: CliSettings;
  readonly #supervisor: Supervisor;
  #worker: Worker | undefined;
  #endpoint: string;

  /**
   * Starts all parts and waits until they are ready.
   * @throws StartError if a part cannot start as it was told; nothing runs then
   */
  static async start(options: HouseOptions, signal: AbortSignal): Promise<House> {
    const { settings, log, echo } = options;
    const { run, logs } = homePaths(settings.home);
    const supervisor = await Supervisor.open({ owner: 'house', runFolder: run, logsFolder: logs, log, echo, settings: { terminateLimitMs } });
    const house = new House(settings, supervisor);
    try {
      await house.#startParts(options, signal);
      return house;
    } catch (error) {
      await house.stop();
      throw error;
    }
  }

  private constructor(settings: CliSettings, supervisor: Supervisor) {
    this.#settings = settings;
    this.#supervisor = supervisor;
    this.#endpoint = settings.bind;
  }

  /** Where the broker listens. */
  get endpoint(): string {
    return this.#endpoint;
  }

  onChange(listener: (change: StatusChange) => void): () => void {
    return this.#supervisor.onChange(listener);
  }

  /** Stops the parts in order, and kills within a bound what does not stop. May be called twice. */
  async stop(): Promise<void> {
    const limit = setTimeout(() => this.kill(), stopLimitMs);
    try {
      await Promise.all([this.#worker?.stop(), this.#supervisor.stopAll(stopOrder)]);
      await this.#supervisor[Symbol.asyncDispose]();
    } finally {
      clearTimeout(limit);
      forgetRunning(this.#settings.home);
    }
  }

  /** Ends everything now. */
  kill(): void {
    this.#supervisor.killAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startParts({ onProgress, log, plugins }: HouseOptions, signal: AbortSignal): Promise<void> {
    onProgress('starting the broker');
    // A port that was chosen stays: a broker that is started again must be found where it was.
    this.#add('broker', () => ['--bind', this.#endpoint]);
    await this.#untilReady('broker', signal);
    this.#endpoint = this.#supervisor.facts('broker')['endpoint'] ?? this.#settings.bind;
    tellRunning(this.#settings.home, { broker: connectable(this.#endpoint), host: this.#settings.host });
    const others = partNames.filter((part) => part !== 'broker');
    onProgress(`starting ${others.join(', ')}`);
    for (const part of others) {
      const ownFlags = part === 'manager' ? ['--autostart', String(plugins)] : [];
      this.#add(part, () => ['--broker', connectable(this.#endpoint), ...ownFlags]);
    }
    await Promise.all(others.map((part) => this.#untilReady(part, signal)));
    this.#worker = new Worker({
      endpoint: connectable(this.#endpoint), service: hostService(this.#settings.host, 'house'), handlers: this.#handlers(), capacity: workerCapacity, log,
    }).start();
    await this.#worker.registered({ signal });
  }

  /** Starts a part; its flags are asked for anew at each start. */
  #add(part: PartName, flags: () => readonly string[]): void {
    const { home, host, logLevel } = this.#settings;
    this.#supervisor.add({
      name: part,
      get command() {
        return [process.execPath, partProgram(part), '--home', home, '--host', host, '--log-level', logLevel, ...flags()];
      },
      cwd: home,
      env: process.env,
    });
    this.#supervisor.start(part);
  }

  /** A part that cannot start as it was told will not do so later either. */
  async #untilReady(part: PartName, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { state, reason } = await this.#supervisor.until(part, ['running', 'backoff', 'failed', 'stopped'], { signal });
      if (state === 'running') return;
      if (this.#supervisor.lastEnd(part)?.code === exitCannotStart) {
        const line = this.#supervisor.logs(part, { lines: 1 }).lines[0] ?? reason;
        throw new StartError('CANNOT_START', line.replace(`${part}: `, ''));
      }
      if (state === 'stopped') throw new StartError('CANNOT_START', `${part} was stopped before it was ready`);
      if (state === 'failed') throw new StartError('CANNOT_START', `${part} does not start: ${reason}; its log is in ${homePaths(this.#settings.home).logs}`);
      await this.#supervisor.until(part, ['starting', 'running', 'failed', 'stopped'], { signal });
    }
  }

  #handlers(): Handlers {
    const { host, home } = this.#settings;
    return new Handlers()
      .on(partList, () => ({ host, home, version: majordomusVersion, parts: this.#supervisor.list() }))
      .on(partLog, ({ part, lines, after }) => {
        if (this.#supervisor.has(part)) return { part, ...this.#supervisor.logs(part, { lines, after }) };
        const meant = didYouMean(part, partNames);
        throw refuse(partLog, 'PART_NOT_FOUND', `there is no part ${part}; ${meant === undefined ? `parts: ${partNames.join(', ')}` : `did you mean ${meant}?`}`);
      });
  }
}

/** An address that was bound to every interface is reached on this machine by loopback. */
export function connectable(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\/(0\.0\.0\.0|\*):/, 'tcp://127.0.0.1:').replace(/^tcp:\/\/\[::\]:/, 'tcp://[::1]:');
}
