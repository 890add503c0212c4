// A running house: the core parts of this host, supervised, and itself on the bus as `<host>.house`.
import { hostService, partList, partLog, refuse, type PartStatus } from '@majordomus/contracts';
import { Handlers, Worker } from '@majordomus/mq';
import { didYouMean, exitCannotStart, homePaths, isSystemError, majordomusVersion, StartError, startErrorOf, type Log } from '@majordomus/runtime';
import { Supervisor, type LogFile, type StatusChange } from '@majordomus/supervisor';
import { untilJoinable, type HouseElsewhere } from './joining.ts';
import { Namesake } from './namesake.ts';
import { hostPartNames, loggedParts, partNames, partProgram, stopOrder, type PartName } from './parts.ts';
import { forgetRunning, tellRunning } from './running-house.ts';
import type { CliSettings } from './session.ts';

/** How long an orderly stop may take before everything that is left is killed. */
const stopLimitMs = 4500;
/** What a part may take to end after SIGTERM; the manager stops its plugins in it. */
const terminateLimitMs = 3500;
const workerCapacity = 16;
/** How long to wait for room on the disk. */
const tellAgainMs = 1000;

export interface HouseOptions {
  readonly settings: CliSettings;
  /** Whether plugins start with the house. */
  readonly plugins: boolean;
  readonly log: Log;
  /** What `log` writes. */
  readonly logFile: LogFile;
  /** Given each line that a part prints. */
  readonly echo: (part: string, line: string) => void;
  /** Told what the start is doing. */
  readonly onProgress: (text: string) => void;
  /** Told what the start waits for as long as the house that is to be joined does not answer. */
  readonly onWait: (reason: string) => void;
}

export class House implements AsyncDisposable {
  readonly #settings: CliSettings;
  readonly #supervisor: Supervisor;
  readonly #workers: Worker[] = [];
  #namesake: Namesake | undefined;
  #endpoint: string;
  #joined: HouseElsewhere | undefined;
  #toldLater: NodeJS.Timeout | undefined;

  /**
   * Starts all parts and waits until they are ready.
   * @throws StartError if a part cannot start as it was told, CommandError if this host may not join; nothing runs then
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
    this.#endpoint = settings.join ?? settings.bind;
  }

  /** Where the broker listens: this host's own, or that of the house it has joined. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** The house elsewhere that this host has joined, as it was then; the primary host has none. */
  get joined(): HouseElsewhere | undefined {
    return this.#joined;
  }

  onChange(listener: (change: StatusChange) => void): () => void {
    return this.#supervisor.onChange(listener);
  }

  /** Stops the parts in order, and kills within a bound what does not stop. May be called twice. */
  async stop(): Promise<void> {
    const limit = setTimeout(() => this.kill(), stopLimitMs);
    try {
      clearTimeout(this.#toldLater);
      this.#namesake?.[Symbol.dispose]();
      await Promise.all([...this.#workers.map((worker) => worker.stop()), this.#supervisor.stopAll(stopOrder)]);
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

  async #startParts(options: HouseOptions, signal: AbortSignal): Promise<void> {
    const { settings: { join }, onProgress, plugins } = options;
    if (join === undefined) await this.#startBroker(options, signal);
    else await this.#joinHouse(join, options, signal);
    const others = join === undefined ? partNames.filter((part) => part !== 'broker') : hostPartNames;
    onProgress(`starting ${others.join(', ')}`);
    for (const part of others) {
      const autostart = part === 'manager' ? ['--autostart', String(plugins)] : [];
      const primary = join === undefined ? [] : ['--primary', 'false'];
      this.#add(part, () => ['--broker', connectable(this.#endpoint), ...primary, ...autostart]);
    }
    await Promise.all(others.map((part) => this.#untilReady(part, signal)));
    await this.#register(options, signal);
  }

  async #startBroker({ onProgress }: HouseOptions, signal: AbortSignal): Promise<void> {
    onProgress('starting the broker');
    // A port that was chosen stays: a broker that is started again must be found where it was.
    this.#add('broker', () => ['--bind', this.#endpoint]);
    await this.#untilReady('broker', signal);
    this.#endpoint = this.#supervisor.facts('broker')['endpoint'] ?? this.#settings.bind;
    this.#tellRunning();
  }

  async #joinHouse(endpoint: string, { onProgress, onWait }: HouseOptions, signal: AbortSignal): Promise<void> {
    onProgress(`looking for the house at ${endpoint}`);
    // A command that is given meanwhile is told what is missing, and not that nothing runs here.
    this.#tellRunning();
    this.#joined = await untilJoinable({ endpoint, host: this.#settings.host, onWait }, signal);
  }

  /** On a disk without room for it the commands of this home do not find the house, until there is some. */
  #tellRunning(): void {
    const { home, host, join } = this.#settings;
    try {
      tellRunning(home, { broker: connectable(this.#endpoint), host, join });
    } catch (error) {
      if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error;
      this.#toldLater = setTimeout(() => this.#tellRunning(), tellAgainMs);
    }
  }

  /** Answers for this host, and on the primary one for the house. */
  async #register({ log, logFile }: HouseOptions, signal: AbortSignal): Promise<void> {
    const { host, join } = this.#settings;
    const names = join === undefined ? [hostService(host, partList.service), partList.service] : [hostService(host, partList.service)];
    const endpoint = connectable(this.#endpoint);
    const handlers = this.#handlers(logFile);
    const namesake = new Namesake({ endpoint, service: hostService(host, partList.service), host, log });
    this.#namesake = namesake;
    for (const service of names) {
      const onPresence = (isRegistered: boolean): void => (service === partList.service ? undefined : namesake.onPresence(isRegistered));
      this.#workers.push(new Worker({ endpoint, service, handlers, capacity: workerCapacity, log, onPresence }).start());
    }
    await Promise.all(this.#workers.map((worker) => worker.registered({ signal })));
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
      supervises: part === 'manager',
    });
    this.#supervisor.start(part);
  }

  #parts(): PartStatus[] {
    return this.#supervisor.list().map((part) => {
      const { usedMb, limitMb } = this.#supervisor.memory(part.name);
      return { ...part, memoryMb: usedMb, memoryLimitMb: limitMb };
    });
  }

  /** A part that cannot start as it was told will not do so later either. */
  async #untilReady(part: PartName, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { state, reason } = await this.#supervisor.until(part, ['running', 'backoff', 'failed', 'stopped'], { signal });
      if (state === 'running') return;
      if (this.#supervisor.lastEnd(part)?.code === exitCannotStart) {
        const line = this.#supervisor.logs(part, { lines: 1 }).lines[0] ?? reason;
        throw startErrorOf(part, line);
      }
      if (state === 'stopped') throw new StartError('CANNOT_START', `${part} was stopped before it was ready`);
      if (state === 'failed') throw new StartError('CANNOT_START', `${part} does not start: ${reason}; its log is in ${homePaths(this.#settings.home).logs}`);
      await this.#supervisor.until(part, ['starting', 'running', 'failed', 'stopped'], { signal });
    }
  }

  #handlers(ownLog: LogFile): Handlers {
    const { host, home, join } = this.#settings;
    return new Handlers()
      .on(partList, () => ({ host, home, version: majordomusVersion, ...(join !== undefined && { join }), parts: this.#parts() }))
      .on(partLog, ({ part, lines, after }) => {
        if (part === partList.service) return { part, ...ownLog.read({ lines, after }) };
        if (this.#supervisor.has(part)) return { part, ...this.#supervisor.logs(part, { lines, after }) };
        const meant = didYouMean(part, loggedParts);
        throw refuse(partLog, 'PART_NOT_FOUND', `there is no part ${part}; ${meant === undefined ? `parts: ${loggedParts.join(', ')}` : `did you mean ${meant}?`}`);
      });
  }
}

/** An address that was bound to every interface is reached on this machine by loopback. */
export function connectable(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\/(0\.0\.0\.0|\*):/, 'tcp://127.0.0.1:').replace(/^tcp:\/\/\[::\]:/, 'tcp://[::1]:');
}
