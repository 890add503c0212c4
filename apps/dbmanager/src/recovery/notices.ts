// What a person has to be told of the house until they have seen it. It is in the database, so that a notice of a recovery is
// there exactly if the recovered database is.
import type { Database } from 'better-sqlite3';
import { noticeAcknowledge, refuse, type noticeList, type RequestOf, type ResultOf } from '@majordomus/contracts';

/** What to do where values were lost: which plugins start with the house is among them. */
export const lostValuesTodo = 'plugins may not start with the house any more: see which are stopped (domus plugin list), and start them (domus plugin start NAME)';

/** Adds a notice to an open database; a text that is told already is not told twice. */
export function addNotice(connection: Database, atMs: number, text: string): void {
  connection.prepare('INSERT OR IGNORE INTO notice (at_ms, text) VALUES (?, ?)').run(Math.trunc(atMs), text);
}

export function listNotices(connection: Database): ResultOf<typeof noticeList> {
  return { notices: connection.prepare<[], { readonly id: number; readonly atMs: number; readonly text: string }>('SELECT id, at_ms AS atMs, text FROM notice ORDER BY id').all() };
}

/** @throws ActionFailure NOTICE_NOT_FOUND */
export function acknowledgeNotice(connection: Database, { id }: RequestOf<typeof noticeAcknowledge>): ResultOf<typeof noticeAcknowledge> {
  if (connection.prepare('DELETE FROM notice WHERE id = ?').run(id).changes === 0) {
    throw refuse(noticeAcknowledge, 'NOTICE_NOT_FOUND', `there is no notice ${id}; it may be acknowledged already`);
  }
  return { id };
}
