// What was changed in the configuration, when, and on whose behalf. Changes are numbered through the house; what is kept
// is bounded by number for each plugin on each host, and by age. Values are texts as they are stored, secrets encrypted.
// Synchronous, inside the transaction of its caller.
import type { Database, Statement } from 'better-sqlite3';
import type { Owner } from './place.ts';

/** What is kept of the history. */
export interface HistoryLimits {
  /** How many days a change is kept. */
  readonly days: number;
  /** How many changes are kept for each plugin on each host, and up to a tenth more. */
  readonly changes: number;
}

export const defaultHistoryLimits: HistoryLimits = { days: 365, changes: 1000 };

/** The oldest go so many at a time, which is cheaper than one by one, and never more than twice as many: no write waits for a large deletion. */
const deletedAtOnce = 100;
/** Of how many plugins on hosts it is known when their number was last looked at; of others it is looked at again. */
const ownersAtMost = 10_000;
/** How many of the oldest changes of a plugin on a host one look at their age takes in. */
const agedAtOnce = 1000;
/** How many of the newest are kept however old they are. */
const agelessNewest = 20;
const dayMs = 86_400_000;

export interface Change {
  readonly change: number;
  readonly key: string;
  /** Null: it was not set. */
  readonly old: string | null;
  /** Null: it was forgotten. */
  readonly new: string | null;
  readonly at_ms: number;
  readonly by: string | null;
}

export type Added = Owner & Omit<Change, 'change'>;

/** Which changes are asked for. */
export interface Page {
  readonly key?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

export class History {
  readonly #limits: HistoryLimits;
  readonly #atOnce: number;
  /** How many changes were added since it was looked how many are kept, for each plugin on each host. After a rollback it is too many, which does no harm. */
  readonly #sinceLook = new Map<string, number>();
  readonly #add: Statement<[Added]>;
  readonly #count: Statement<[string, string], number>;
  readonly #deleteOldest: Statement<[string, string, number], number>;
  readonly #setPruned: Statement<[string, string, number]>;
  readonly #pruned: Statement<[string, string], number>;
  readonly #latest: Statement<[], number>;
  readonly #page: Statement<[Owner & { key: string | null; before: number | null; limit: number }], Change>;
  readonly #since: Statement<[Owner & { key: string | null; to: number }], { readonly key: string; readonly old: string | null }>;
  readonly #counts: Statement<[], Owner & { readonly count: number }>;
  readonly #deleteAged: Statement<[Owner & { kept: number; spare: number }], number>;

  constructor(connection: Database, limits: HistoryLimits = defaultHistoryLimits) {
    this.#limits = limits;
    this.#atOnce = Math.min(deletedAtOnce, Math.max(1, Math.floor(limits.changes / 10)));
    this.#add = connection.prepare(`
      INSERT INTO config_history (host, plugin, key, old, new, at_ms, "by") VALUES (:host, :plugin, :key, :old, :new, :at_ms, :by)`);
    this.#count = connection.prepare<[string, string], number>('SELECT count(*) FROM config_history WHERE host = ? AND plugin = ?').pluck();
    this.#deleteOldest = connection.prepare<[string, string, number], number>(`
      DELETE FROM config_history WHERE change IN (
        SELECT change FROM config_history WHERE host = ? AND plugin = ? ORDER BY change LIMIT ?
      ) RETURNING change`).pluck();
    this.#setPruned = connection.prepare(`
      INSERT INTO config_history_pruned (host, plugin, change) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET change = max(change, excluded.change)`);
    this.#pruned = connection.prepare<[string, string], number>('SELECT change FROM config_history_pruned WHERE host = ? AND plugin = ?').pluck();
    this.#latest = connection.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'config_history'").pluck();
    this.#page = connection.prepare(`
      SELECT change, key, old, new, at_ms, "by" FROM config_history
      WHERE host = :host AND plugin = :plugin AND (:key IS NULL OR key = :key) AND (:before IS NULL OR change < :before)
      ORDER BY change DESC LIMIT :limit`);
    // Beside a lone min(), SQLite takes the other columns from the row that has it.
    this.#since = connection.prepare(`
      SELECT key, old, min(change) FROM config_history
      WHERE host = :host AND plugin = :plugin AND change > :to AND (:key IS NULL OR key = :key) GROUP BY key`);
    this.#counts = connection.prepare('SELECT host, plugin, count(*) AS count FROM config_history GROUP BY host, plugin');
    this.#deleteAged = connection.prepare<[Owner & { kept: number; spare: number }], number>(`
      DELETE FROM config_history WHERE at_ms < :kept AND change IN (
        SELECT change FROM config_history WHERE host = :host AND plugin = :plugin ORDER BY change LIMIT :spare
      ) RETURNING change`).pluck();
  }

  /** Keeps a change, and lets the oldest of that plugin on that host go where there are too many. */
  add(added: Added): void {
    this.#add.run(added);
    const owner = `${added.host}.${added.plugin}`;
    const sinceLook = (this.#sinceLook.get(owner) ?? this.#atOnce) + 1;
    if (this.#sinceLook.size >= ownersAtMost) this.#sinceLook.clear();
    if (sinceLook < this.#atOnce) this.#sinceLook.set(owner, sinceLook);
    else if (this.#prune(added)) this.#sinceLook.set(owner, 0);
    else this.#sinceLook.delete(owner);
  }

  /** Looks how many are kept, and lets the oldest go; false if there are still too many. */
  #prune({ host, plugin }: Owner): boolean {
    const excess = (this.#count.get(host, plugin) ?? 0) - this.#limits.changes;
    if (excess <= 0) return true;
    const deleted = this.#deleteOldest.all(host, plugin, Math.min(excess, 2 * this.#atOnce));
    this.#setPruned.run(host, plugin, Math.max(...deleted));
    return excess <= deleted.length;
  }

  /** The number of the newest change of anything; 0 if there is none. */
  get latest(): number {
    return this.#latest.get() ?? 0;
  }

  /** The number of the newest change that is not kept any more; 0 if all are. */
  prunedTo({ host, plugin }: Owner): number {
    return this.#pruned.get(host, plugin) ?? 0;
  }

  /** The newest first. */
  page({ host, plugin }: Owner, { key, before, limit }: Page): Change[] {
    return this.#page.all({ host, plugin, key: key ?? null, before: before ?? null, limit });
  }

  /** What each key that was changed after the change `to` had just after it; null if it was not set. */
  valuesAt({ host, plugin }: Owner, key: string | undefined, to: number): ReadonlyMap<string, string | null> {
    return new Map(this.#since.all({ host, plugin, key: key ?? null, to }).map(({ key: changed, old }) => [changed, old]));
  }

  /**
   * Lets go what is older than it is kept. The newest of each plugin on each host stay, whatever their age: a clock that
   * was wrong for one start must not take what a person may want back. A change whose time is in the future stays, too.
   */
  pruneAged(nowMs: number): void {
    const kept = nowMs - this.#limits.days * dayMs;
    for (const { host, plugin, count } of this.#counts.all()) {
      const spare = Math.min(count - agelessNewest, agedAtOnce);
      if (spare <= 0) continue;
      const deleted = this.#deleteAged.all({ host, plugin, kept, spare });
      if (deleted.length > 0) this.#setPruned.run(host, plugin, Math.max(...deleted));
    }
  }
}
