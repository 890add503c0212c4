import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkBackups, checkKeys } from './storage.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');

/** What is said of a home with a database and daily backups of these times. */
function saidOf(...times: readonly string[]): readonly string[] {
  const home = mkdtempSync(join(tmpdir(), 'majordomus-doctor-'));
  try {
    for (const folder of ['db', 'backups']) mkdirSync(join(home, folder));
    writeFileSync(join(home, 'db', 'majordomus.sqlite'), '');
    for (const time of times) writeFileSync(join(home, 'backups', `majordomus-${time}.sqlite`), '');
    return checkBackups({ home, host: 'igor', settings: undefined, running: undefined, silent: undefined, broker: undefined, named: {} }, nowMs).map(({ state, text }) => `${state} ${text.replace(home, 'HOME')}`);
  } finally {
    rmSync(home, { recursive: true });
  }
}

describe('the daily backups, as doctor sees them,', () => {
  it('are well when the newest is of these days', () => {
    expect(saidOf('2026-11-20T03-00-00Z', '2026-11-22T13-00-00Z')).toEqual(['ok the newest daily backup of the database is of 2026-11-22T13:00:00.000Z']);
  });

  it('are noted when there is none, or only old ones', () => {
    expect(saidOf()).toEqual(['note none yet in HOME/backups']);
    expect(saidOf('2026-11-20T03-00-00Z')).toEqual(['note the newest daily backup of the database is 3 days old']);
  });

  it('that are dated in the future count for nothing, and are noted', () => {
    const future = 'note majordomus-2031-01-01T00-00-00Z.sqlite in HOME/backups is dated in the future';
    expect(saidOf('2031-01-01T00-00-00Z')).toEqual([future, 'note none yet in HOME/backups']);
    expect(saidOf('2026-11-20T03-00-00Z', '2031-01-01T00-00-00Z')).toEqual([future, 'note the newest daily backup of the database is 3 days old']);
    expect(saidOf('2026-11-23T03-00-00Z', '2031-01-01T00-00-00Z')).toEqual([future, 'ok the newest daily backup of the database is of 2026-11-23T03:00:00.000Z']);
  });

  it('that are a little ahead were made before the clock was set', () => {
    expect(saidOf('2026-11-23T12-30-00Z')).toEqual(['ok the newest daily backup of the database is of 2026-11-23T12:30:00.000Z']);
  });
});

it('the key of the secrets is a problem when others can read it', () => {
  const home = mkdtempSync(join(tmpdir(), 'majordomus-doctor-'));
  const keyFile = join(home, 'keys', 'secrets.key');
  const said = (): unknown => checkKeys({ home }).map(({ state, text, todo }) => ({ state, text, todo }));
  try {
    expect(said()).toEqual([]);
    mkdirSync(join(home, 'keys'));
    writeFileSync(keyFile, '');
    chmodSync(keyFile, 0o600);
    expect(said()).toEqual([{ state: 'ok', text: `only its owner can read ${keyFile}` }]);
    chmodSync(keyFile, 0o640);
    expect(said()).toEqual([{ state: 'problem', text: `${keyFile}, which opens the secrets, can be read by others`, todo: `chmod 600 ${keyFile}` }]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
