// The form of the database, as numbered steps from an empty file. Each step is one transaction that also writes its
// number, so that a kill or a failure leaves the version before it. A step that was released is never changed:
// another one is added.
import { reasonOf } from '@majordomus/runtime';
import type { Database } from 'better-sqlite3';

export interface Migration {
  /** What it brings, for a message. */
  readonly name: string;
  readonly up: (connection: Database) => void;
}

/** The first brings version 1, the second version 2, and so on. */
export const migrations: readonly Migration[] = [
  {
    name: 'configuration and schemas',
    up: (connection) =>
      connection.exec(`
        CREATE TABLE config (
          host TEXT NOT NULL,
          plugin TEXT NOT NULL,
          key TEXT NOT NULL,
          value TEXT NOT NULL, -- JSON
          updated_ms INTEGER NOT NULL, -- since the Unix epoch
          PRIMARY KEY (host, plugin, key)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE plugin_schema (
          plugin TEXT NOT NULL PRIMARY KEY,
          version TEXT NOT NULL,
          items TEXT NOT NULL, -- JSON
          updated_ms INTEGER NOT NULL
        ) STRICT;
      `),
  },
  {
    name: 'history and secrets',
    up: (connection) =>
      connection.exec(`
        CREATE TABLE config_history (
          change INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
          host TEXT NOT NULL,
          plugin TEXT NOT NULL,
          key TEXT NOT NULL,
          old TEXT, -- as in config; null: it was not set
          new TEXT, -- as in config; null: it was forgotten
          at_ms INTEGER NOT NULL, -- since the Unix epoch
          "by" TEXT -- on whose behalf; null: unknown
        ) STRICT;
        CREATE INDEX config_history_owner ON config_history (host, plugin, change);

        CREATE TABLE config_history_pruned (
          host TEXT NOT NULL,
          plugin TEXT NOT NULL,
          change INTEGER NOT NULL, -- the newest that is not kept any more
          PRIMARY KEY (host, plugin)
        ) STRICT, WITHOUT ROWID;

        -- Has a row while the file may hold what was encrypted since as plain text, in places that are not in use.
        CREATE TABLE scrub_due (since_ms INTEGER NOT NULL) STRICT;
      `),
  },
  {
    name: 'notices',
    up: (connection) =>
      connection.exec(`
        CREATE TABLE notice (
          id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
          at_ms INTEGER NOT NULL, -- since the Unix epoch
          text TEXT NOT NULL UNIQUE
        ) STRICT;
      `),
  },
];

/** The version that a database has; 0 if it is new. */
export function versionOf(connection: Database): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

/** Thrown when a step fails; the database stands as the step before left it. */
export class MigrationFailure extends Error {
  override readonly name = 'MigrationFailure';
  readonly code = 'MIGRATION_FAILED';
}

/**
 * Runs the steps that the database does not have yet.
 * @throws MigrationFailure
 */
export function migrate(connection: Database, steps: readonly Migration[] = migrations): void {
  for (const [index, { name, up }] of steps.entries()) {
    const version = index + 1;
    if (version <= versionOf(connection)) continue;
    const step = connection.transaction(() => {
      up(connection);
      connection.pragma(`user_version = ${version}`);
    });
    try {
      step.immediate();
    } catch (cause) {
      throw new MigrationFailure(`the step to version ${version} (${name}) failed: ${reasonOf(cause)}; it is still at version ${version - 1}`, { cause });
    }
  }
}
