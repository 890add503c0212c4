// Who was given secrets in clear stands in the log, since no reply can be taken back. A plugin that reads its own with each
// command is told of now and then, with how often: its lines must not push the others out of the log. Anybody can give its
// name, so that this is for the same again only: another action, or other keys, are told of at once.
import type { Log } from '@majordomus/runtime';

/** Between two lines about a plugin that reads its own secrets. */
const ownPauseMs = 600_000;

export interface Reveal {
  readonly action: string;
  readonly host: string;
  readonly plugin: string;
  readonly by?: string | undefined;
  readonly keys: readonly string[];
}

interface Pause {
  readonly reveal: Reveal;
  readonly timer: NodeJS.Timeout;
  untold: number;
}

export class RevealLog implements Disposable {
  readonly #log: Log;
  /** Those that were told of within the last ten minutes, by what they revealed. */
  readonly #pauses = new Map<string, Pause>();

  constructor(log: Log) {
    this.#log = log;
  }

  tell(reveal: Reveal): void {
    const { action, host, plugin, by, keys } = reveal;
    if (by !== `${host}.${plugin}`) {
      this.#write(reveal, 1);
      return;
    }
    const what = JSON.stringify([action, host, plugin, keys]);
    const pause = this.#pauses.get(what);
    if (pause === undefined) this.#writeAndPause(what, reveal, 1);
    else pause.untold++;
  }

  #writeAndPause(what: string, reveal: Reveal, times: number): void {
    this.#write(reveal, times);
    const timer = setTimeout(() => this.#endPause(what), ownPauseMs).unref();
    this.#pauses.set(what, { reveal, timer, untold: 0 });
  }

  #endPause(what: string): void {
    const pause = this.#pauses.get(what);
    this.#pauses.delete(what);
    if (pause !== undefined && pause.untold > 0) this.#writeAndPause(what, pause.reveal, pause.untold);
  }

  #write({ action, host, plugin, by = 'unknown', keys }: Reveal, times: number): void {
    this.#log.info({ host, plugin, keys, by, ...(times > 1 && { times }) }, `${action} gave secrets in clear`);
  }

  /** Tells what was not told of yet. */
  [Symbol.dispose](): void {
    for (const { reveal, timer, untold } of this.#pauses.values()) {
      clearTimeout(timer);
      if (untold > 0) this.#write(reveal, untold);
    }
    this.#pauses.clear();
  }
}
