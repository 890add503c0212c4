// What is under way between two versions of a plugin: a small file beside the link `current`, written before anything that
// the house can see is changed and removed when all of it is. Whoever finds one at a start brings the change to its end.
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, syncPathAside } from '@majordomus/runtime';
import { z } from 'zod';
import { writeDurably } from './durable.ts';
import { demands } from './health.ts';

export const changeFileName = 'change.json';

const schema = z.object({
  /** The job, which is known by the same name after a restart. */
  job: z.string(),
  /** What was installed, for a person. */
  source: z.string(),
  /** The releases. */
  from: z.string(),
  to: z.string(),
  demand: z.enum(demands),
  /** The number of the newest change of the configuration before; undefined if there is no history. */
  latest: z.number().optional(),
  /** Whether values are set with the new version. */
  setsValues: z.boolean(),
  /** Where in the plugin's log the new version begins. */
  logFrom: z.number().optional(),
  /** The release that is then kept as the one before: the former one, or the one that really runs. */
  keeps: z.string(),
  /** `kept`: the new version was found to be well; `back`: it was found to be ill, and the former one is put back. */
  direction: z.enum(['forth', 'kept', 'back']),
  /** Why it goes back. */
  reason: z.string().optional(),
});
export type Change = z.infer<typeof schema>;

/** The change that is under way; undefined if there is none that can be read. */
export async function readChange(file: string): Promise<Change | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return undefined;
    throw error;
  }
}

export async function writeChange(file: string, change: Change): Promise<void> {
  await writeDurably(file, `${JSON.stringify(change, null, 2)}\n`);
}

export async function removeChange(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncPathAside(dirname(file));
}
