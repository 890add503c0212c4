// What a backup says of itself: who made it, when, and the checksum of every file. It is the last entry of the archive, so that one
// whose end is missing has none.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { z } from 'zod';

export const manifestName = 'majordomus-backup.json';
/** Grows when an older program could not restore what is written. */
export const backupFormat = 1;

/** Where everything stands in a home and in a backup, and nothing beside it: what is unpacked can stand nowhere else. */
const backupPath = z.string().regex(/^(majordomus\.toml|run\/last-start\.json|db\/majordomus\.sqlite|(packages|keys)\/.+)$/, 'is no path of a backup')
  .refine((path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0'), 'is no plain path');

const backupEntry = z.union([
  z.object({ path: backupPath, bytes: z.number().int().min(0), mode: z.number().int().min(0).max(0o777), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ path: backupPath, link: z.string().min(1) }).refine(staysInside, 'is a link that leads out of its package'),
]);
export type BackupEntry = z.infer<typeof backupEntry>;

export const backupManifest = z.object({
  format: z.number().int(),
  majordomus: z.string(),
  createdMs: z.number().int(),
  host: z.string(),
  /** Where the broker of the house was that this host had joined. */
  join: z.string().optional(),
  entries: z.array(backupEntry),
});
export type BackupManifest = z.infer<typeof backupManifest>;

/** A link may point to what is in the same package, and nowhere else. */
function staysInside({ path, link }: { readonly path: string; readonly link: string }): boolean {
  if (link.startsWith('/') || !path.startsWith('packages/')) return false;
  const place = path.split('/').slice(0, -1);
  for (const part of link.split('/')) {
    if (part === '..') place.pop();
    else if (part !== '.' && part !== '') place.push(part);
    if (place.length < 2) return false;
  }
  return place[1] === path.split('/')[1];
}

/** Every file of the backup by what it is, for a person. */
export function partsOfBackup({ entries }: BackupManifest): { readonly hasDatabase: boolean; readonly hasKeys: boolean; readonly hasSettings: boolean; readonly plugins: readonly string[] } {
  const has = (start: string): boolean => entries.some(({ path }) => path.startsWith(start));
  const plugins = new Set(entries.flatMap(({ path }) => (path.startsWith('packages/') ? [path.split('/')[1] ?? ''] : [])));
  return { hasDatabase: has('db/'), hasKeys: has('keys/'), hasSettings: has('majordomus.toml'), plugins: [...plugins].sort((a, b) => a.localeCompare(b)) };
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
