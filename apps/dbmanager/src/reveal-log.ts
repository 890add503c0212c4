// Who was given secrets in clear stands in the log, since no reply can be taken back. A plugin that reads its own with each
// command is told of now and then, with how often: its lines must not push the others out of the log.
import type { Clock, Log } from '@majordomus/runtime';

/** Between two lines about a plugin that reads its own secrets. */
const ownPauseMs = 600_000;

export interface Reveal {
  readonly action: string;
  readonly host: string;
  readonly plugin: string;
  readonly by?: string | undefined;
  readonly keys: readonly string[];
}

interface Told {
  readonly atMs: number;
  untold: number;
}

export class RevealLog {
  readonly #log: Log;
  readonly #clock: Clock;
  /** By service name: there are no more than installed plugins with secrets. */
  readonly #told = new Map<string, Told>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  tell({ action, host, plugin, by = 'unknown', keys }: Reveal): void {
    const times = by === `${host}.${plugin}` ? this.#timesToTell(by) : 1;
    if (times === 0) return;
    this.#log.info({ host, plugin, keys, by, ...(times > 1 && { times }) }, `${action} gave secrets in clear`);
  }

  #timesToTell(service: string): number {
    const nowMs = this.#clock.monotonicMs();
    const told = this.#told.get(service);
    if (told !== undefined && nowMs - told.atMs < ownPauseMs) {
      told.untold++;
      return 0;
    }
    this.#told.set(service, { atMs: nowMs, untold: 0 });
    return (told?.untold ?? 0) + 1;
  }
}
