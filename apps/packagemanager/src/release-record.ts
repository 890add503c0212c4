// Where a release came from: a small file beside its folder, so that it can be looked up again and told to a person. The
// folder itself stays what the package brought.
import { readFile } from 'node:fs/promises';
import { isSystemError } from '@majordomus/runtime';
import { z } from 'zod';
import { writeDurably } from './durable.ts';

const schema = z.object({
  /** The kind of its source. */
  kind: z.enum(['folder', 'archive', 'registry', 'address', 'git', 'upload']),
  /** As it was given; for an upload, what it was made of. It may have a password in it. */
  source: z.string(),
  /** Of the archive it came in. */
  integrity: z.string().optional(),
  commit: z.string().optional(),
  /** The number of the newest change of the configuration when another version came into its place: what it had then is found by it. */
  leftAt: z.number().optional(),
});
export type ReleaseRecord = z.infer<typeof schema>;

/** The record beside the folder of a release. */
export function recordFile(releaseFolder: string): string {
  return `${releaseFolder}.json`;
}

/** `1.0.0` of the release `1.0.0-8f77a0d67bba`. */
export function versionOf(release: string): string {
  return release.replace(/-[^-]*$/, '');
}

/** The record of a release; undefined if there is none that can be read. */
export async function readRecord(releaseFolder: string): Promise<ReleaseRecord | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(recordFile(releaseFolder), 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return undefined;
    throw error;
  }
}

/** Writes the record in one step; it is on disk when this is fulfilled. */
export async function writeRecord(releaseFolder: string, record: ReleaseRecord): Promise<void> {
  await writeDurably(recordFile(releaseFolder), `${JSON.stringify(record, null, 2)}\n`);
}
