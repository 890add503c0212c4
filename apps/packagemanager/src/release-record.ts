// Where a release came from: a small file beside its folder, so that it can be looked up again and told to a person. The
// folder itself stays what the package brought.
import { open, rename, rm, readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { isSystemError } from '@majordomus/runtime';
import { z } from 'zod';
import { syncPath } from './durable.ts';

const schema = z.object({
  /** The kind of its source. */
  kind: z.enum(['folder', 'archive', 'registry', 'address', 'git', 'upload']),
  /** As it was given; for an upload, what it was made of. It may have a password in it. */
  source: z.string(),
  /** Of the archive it came in. */
  integrity: z.string().optional(),
  commit: z.string().optional(),
});
export type ReleaseRecord = z.infer<typeof schema>;

/** The record beside the folder of a release. */
export function recordFile(releaseFolder: string): string {
  return `${releaseFolder}.json`;
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
  const beside = join(dirname(releaseFolder), `.record-${randomUUID()}`);
  try {
    {
      await using file = await open(beside, 'wx', 0o600);
      await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
      await file.sync();
    }
    await rename(beside, recordFile(releaseFolder));
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncPath(dirname(releaseFolder));
}
