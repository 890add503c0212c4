// Which secrets of a database cannot be decrypted with a key: what a person has to set anew after a restore without the keys.
import Sqlite from 'better-sqlite3';
import type { Place } from '../configuration/place.ts';
import { isSealed, Secrets, SecretUnreadable } from './secrets.ts';

/** @param keyFile the key of the house; it may be absent */
export function unreadableSecrets(path: string, keyFile: string): Place[] {
  const connection = new Sqlite(path, { readonly: true, fileMustExist: true });
  try {
    const secrets = new Secrets(keyFile);
    const rows = connection.prepare<[], Place & { readonly value: string }>('SELECT host, plugin, key, value FROM config ORDER BY host, plugin, key').all();
    return rows.filter(({ value }) => isSealed(value)).flatMap(({ host, plugin, key, value }) => (opens(secrets, { host, plugin, key }, value) ? [] : [{ host, plugin, key }]));
  } finally {
    connection.close();
  }
}

function opens(secrets: Secrets, place: Place, value: string): boolean {
  try {
    secrets.open(place, value);
    return true;
  } catch (error) {
    if (error instanceof SecretUnreadable) return false;
    throw error;
  }
}
