// One of a kind on a home: a lock that the operating system frees however its holder ends, kill -9 included. It is SQLite's
// own lock, held by a transaction that stays open; nothing is ever written to the file. It stands in the home itself: of the
// folders in it, a person may delete one under a running house.
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { reasonOf } from './error-reason.ts';
import { ensureFolder } from './home.ts';
import type { Log } from './log.ts';
import { StartError } from './start-error.ts';

/** A holder that was just killed may take a moment to be gone. */
const patienceMs = 1000;
const watchIntervalMs = 1000;
/** sqlite.org/rescode.html */
const sqliteBusy = 5;

export interface HomeLock extends Disposable {
  /**
   * Looks once a second whether the file of the lock is still there, until the lock is given back. If it was deleted or replaced,
   * that is logged once as an error: the holder goes on, and nothing keeps another one from the home.
   */
  watch(log: Pick<Log, 'error'>): void;
}

/**
 * Takes `<home>/.<who>.lock` until what is returned is disposed of; keep it, since the collector would free the lock.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE
 */
export function lockHome(home: string, who: string): HomeLock {
  ensureFolder(home);
  // A journal on the disk would need room there, and a full disk must not keep a house from its start.
  const held = connectionAfter('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE', home, who);
  const path = lockFile(home, who);
  const taken = fileIdentity(path);
  let timer: NodeJS.Timeout | undefined;
  return {
    watch(log) {
      timer ??= setInterval(() => {
        const now = fileIdentity(path);
        if (now === 'unknown' || now === taken) return;
        clearInterval(timer);
        log.error(`the lock file ${path} was ${now === 'none' ? 'deleted' : 'replaced'} under this ${who}, so that it keeps no other one from the home any more; restart the house`);
      }, watchIntervalMs).unref();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      held[Symbol.dispose]();
    },
  };
}

/**
 * Looks whether `lockHome` would be refused. It takes nothing and writes nothing: a house that starts meanwhile is not refused,
 * since a reader is gone again long before its patience is.
 * @throws StartError HOME_IN_USE, HOME_NOT_WRITABLE
 */
export function checkHomeFree(home: string, who: string): void {
  if (existsSync(lockFile(home, who))) connectionAfter('PRAGMA schema_version', home, who, { readOnly: true })[Symbol.dispose]();
}

/** The process that holds the lock, where the system tells (Linux, and a process that this one may see). */
export function lockHolder(home: string, who: string): number | undefined {
  try {
    const inode = String(statSync(lockFile(home, who)).ino);
    const lines = readFileSync('/proc/locks', 'utf8').split('\n').map((line) => line.split(/\s+/));
    // proc_locks(5): number, kind, strictness, mode, process, device:device:inode, range; one that waits has an arrow.
    const held = lines.find(([, , , mode, , file]) => mode === 'WRITE' && file?.split(':')[2] === inode);
    const pid = Number(held?.[4]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** What tells this file from another of its name. A folder that may not be read says nothing about what is in it. */
function fileIdentity(path: string): string {
  try {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
  } catch {
    return 'unknown';
  }
}

function lockFile(home: string, who: string): string {
  return join(home, `.${who}.lock`);
}

function connectionAfter(statement: string, home: string, who: string, options: { readonly readOnly?: boolean } = {}): Disposable {
  const path = lockFile(home, who);
  let connection: DatabaseSync | undefined;
  try {
    // Who can read it could hold it. Once it is there it is SQLite's alone: the system frees a lock when its process closes any handle of the file.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
    connection = new (loadSqlite().DatabaseSync)(path, { ...options, timeout: patienceMs });
    connection.exec(statement);
  } catch (cause) {
    connection?.close();
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) {
      throw new StartError('HOME_IN_USE', `another ${who} runs on the home ${home}; stop it, or choose another home with --home or DOMUS_HOME`, { cause });
    }
    throw new StartError('HOME_NOT_WRITABLE', `cannot lock ${path} (${reasonOf(cause)}); move the file away, make its folder writable, or choose another home with --home or DOMUS_HOME`, { cause });
  }
  const held = connection;
  return { [Symbol.dispose]: () => held.close() };
}

/** Node 22 warns of the SQLite that it brings; later ones have the same, and do not. */
function loadSqlite(): { readonly DatabaseSync: typeof DatabaseSync } {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
