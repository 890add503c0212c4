// Which start of a plugin this is, so that an instance that an earlier manager left behind can do nothing on the bus any more
// (docs/protocol.md, rule R15). An epoch is the time in milliseconds and never goes back: it is on disk before the plugin starts. The
// disk may be slow, and must not hold up the manager, which would be taken for hung; so it is not waited for without a bound.
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { homePaths, reasonOf, systemClock, type Clock, type Log } from '@majordomus/runtime';

export interface EpochsOptions {
  readonly home: string;
  readonly log: Pick<Log, 'warn'>;
  readonly clock?: Pick<Clock, 'wallMs'>;
  /** How long a start waits for the disk to read, and then to write (default 1500). */
  readonly diskLimitMs?: number;
}

export class Epochs {
  readonly #folder: string;
  readonly #log: Pick<Log, 'warn'>;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #diskLimitMs: number;
  readonly #last = new Map<string, number>();
  /** What the disk is to do, one after another: what is late does not overtake what came after it. */
  #disk: Promise<void> = Promise.resolve();
  #canWrite = true;

  constructor({ home, log, clock = systemClock, diskLimitMs = 1500 }: EpochsOptions) {
    this.#folder = join(homePaths(home).run, 'epochs');
    this.#log = log;
    this.#clock = clock;
    this.#diskLimitMs = diskLimitMs;
  }

  /**
   * The epoch of a start of this plugin: above all that it had before, also when the clock was set back, and above the one that the
   * broker has seen. Where the disk takes nothing it is above all that this manager knows of, and a plugin starts all the same.
   */
  async next(plugin: string, seen = -1): Promise<number> {
    if (!this.#last.has(plugin)) await this.#onDisk(() => this.#read(plugin));
    // One that has no successor would be the last for ever.
    const above = seen < Number.MAX_SAFE_INTEGER ? seen : -1;
    const epoch = Math.max(Math.floor(this.#clock.wallMs()), above + 1, (this.#last.get(plugin) ?? -1) + 1);
    this.#last.set(plugin, epoch);
    const isWritten = await this.#onDisk(() => this.#write(plugin));
    if (!isWritten) this.#warn(plugin, `the disk has not answered for ${this.#diskLimitMs / 1000} s`);
    return epoch;
  }

  /** Resolves when it is done, or at the limit: then with false, and it is done when the disk answers. */
  async #onDisk(task: () => Promise<void>): Promise<boolean> {
    this.#disk = this.#disk.then(task);
    const limit = new AbortController();
    try {
      return await Promise.race([this.#disk.then(() => true), delay(this.#diskLimitMs, false, { signal: limit.signal })]);
    } finally {
      limit.abort();
    }
  }

  /** None if none was written; what is damaged counts as none, for then the time is enough. */
  async #read(plugin: string): Promise<void> {
    try {
      const text = (await readFile(join(this.#folder, plugin), 'utf8')).trim();
      const epoch = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      if (epoch < Number.MAX_SAFE_INTEGER) this.#last.set(plugin, Math.max(epoch, this.#last.get(plugin) ?? -1));
    } catch {
      // There is none.
    }
  }

  async #write(plugin: string): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const path = join(this.#folder, plugin);
      await writeFile(`${path}.new`, `${this.#last.get(plugin)}\n`, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
      await using folder = await open(this.#folder);
      await folder.sync();
      this.#canWrite = true;
    } catch (error) {
      this.#warn(plugin, reasonOf(error));
    }
  }

  /** Once: it is so for every plugin, at every start. */
  #warn(plugin: string, why: string): void {
    if (this.#canWrite) this.#log.warn(`the epoch of ${plugin} cannot be written to ${this.#folder} (${why}); as long as the clock is not set back nothing is lost`);
    this.#canWrite = false;
  }
}
