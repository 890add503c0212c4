// Secrets whose key is gone: a person is told before a plugin waits for its password in vain, and when another key takes the place of
// the one that was lost.
import type { Database } from 'better-sqlite3';
import type { Place } from '../configuration/place.ts';
import { isSealed, type Secrets } from './secrets.ts';

const toldAtMost = 10;

/** What a person is told of the stored secrets whose key is not there; undefined if there are none. */
export function lostKeyText(connection: Database, secrets: Secrets): string | undefined {
  const rows = connection.prepare<[], Place & { readonly value: string }>('SELECT host, plugin, key, value FROM config ORDER BY host, plugin, key').all();
  const lost = rows.filter(({ value }) => isSealed(value)).flatMap(({ value, ...place }) => {
    const why = secrets.keyProblem(value);
    return why === undefined ? [] : [{ ...place, why }];
  });
  const [first] = lost;
  if (first === undefined) return undefined;
  const names = lost.slice(0, toldAtMost).map(({ host, plugin, key }) => `${key} of ${plugin} on ${host}`);
  return `put the key of the secrets back, or set them again (domus config set PLUGIN KEY VALUE): ${lost.length} cannot be decrypted (${names.join(', ')}${lost.length > toldAtMost ? ', …' : ''}): ${first.why}; one that was made with --with-keys has it (domus restore)`;
}
