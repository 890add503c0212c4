// Which start of a plugin this is, so that an instance that an earlier manager left behind can do nothing on the bus any more
// (docs/protocol.md, rule R15). An epoch is the time in milliseconds and never goes back: it is on disk before the plugin starts.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, homePaths, reasonOf, syncPath, systemClock, type Clock, type Log } from '@majordomus/runtime';

export interface EpochsOptions {
  readonly home: string;
  readonly log: Pick<Log, 'warn'>;
  readonly clock?: Pick<Clock, 'wallMs'>;
}

export class Epochs {
  readonly #folder: string;
  readonly #log: Pick<Log, 'warn'>;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #last = new Map<string, number>();
  #canWrite = true;

  constructor({ home, log, clock = systemClock }: EpochsOptions) {
    this.#folder = join(homePaths(home).run, 'epochs');
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * The epoch of a start of this plugin: above all that it had before, also when the clock was set back. Where the disk takes nothing
   * it is above all that this manager knows of, and a plugin starts all the same.
   */
  next(plugin: string): number {
    const last = this.#last.get(plugin) ?? this.#read(plugin);
    const epoch = Math.max(Math.floor(this.#clock.wallMs()), last + 1);
    this.#last.set(plugin, epoch);
    this.#write(plugin, epoch);
    return epoch;
  }

  /** -1 if none was written; what is damaged counts as none, for then the time is enough. */
  #read(plugin: string): number {
    try {
      const text = readFileSync(join(this.#folder, plugin), 'utf8').trim();
      const epoch = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      // One that has no successor would be the last for ever.
      return epoch < Number.MAX_SAFE_INTEGER ? epoch : -1;
    } catch {
      return -1;
    }
  }

  #write(plugin: string, epoch: number): void {
    try {
      ensureFolder(this.#folder);
      const path = join(this.#folder, plugin);
      writeFileSync(`${path}.new`, `${epoch}\n`, { mode: 0o600, flush: true });
      renameSync(`${path}.new`, path);
      syncPath(this.#folder);
      this.#canWrite = true;
    } catch (error) {
      // Once: it is so for every plugin, at every start.
      if (this.#canWrite) this.#log.warn(`the epoch of ${plugin} cannot be written to ${this.#folder} (${reasonOf(error)}); as long as the clock is not set back nothing is lost`);
      this.#canWrite = false;
    }
  }
}
