// Which plugins were started in this run of the house and not stopped since: what ran under a manager that was killed runs under the
// one after it, also in a house that starts no plugins by itself. A file of `<home>/run`; it counts for one run of `domus up`.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths, reasonOf, type Log } from '@majordomus/runtime';
import { z } from 'zod';

const record = z.object({ run: z.string(), names: z.array(z.string()) });

export interface StartedPluginsOptions {
  readonly home: string;
  /** Which run of the house this is, the same for each of its managers; without one nothing is kept. */
  readonly run: string | undefined;
  readonly log: Pick<Log, 'warn'>;
}

export class StartedPlugins {
  readonly #file: string;
  readonly #run: string | undefined;
  readonly #log: Pick<Log, 'warn'>;
  readonly #names: Set<string>;

  constructor({ home, run, log }: StartedPluginsOptions) {
    this.#file = join(homePaths(home).run, 'started-plugins');
    this.#run = run;
    this.#log = log;
    this.#names = new Set(this.#read());
  }

  /** As it is now; at first, what ran under the manager before this one. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  add(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#write();
  }

  delete(name: string): void {
    if (this.#names.delete(name)) this.#write();
  }

  /** What is of another run, or damaged, counts as none. */
  #read(): readonly string[] {
    if (this.#run === undefined) return [];
    try {
      const { run, names } = record.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
      return run === this.#run ? names : [];
    } catch {
      return [];
    }
  }

  /** A full disk keeps no plugin from its start. Nothing is synced: a machine that loses its power ends the run, too. */
  #write(): void {
    if (this.#run === undefined) return;
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify({ run: this.#run, names: [...this.#names] } satisfies z.infer<typeof record>), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log.warn(`which plugins run cannot be written to ${this.#file} (${reasonOf(error)}); after an end of the manager those that do not start with the house have to be started again by hand`);
    }
  }
}
