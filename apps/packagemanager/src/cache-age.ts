// The cache is bounded by age (docs/packages.md, "Without a network"): a clone of a repository, or all that npm fetched, goes at a
// start when nobody used it for long. It says when something was used by the time of its folder.
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, type Log } from '@majordomus/runtime';

const day = 24 * 60 * 60_000;
const unusedLimitMs = 90 * day;
/** What is being removed has such a name, so that nobody finds half of it. */
const removed = 'unused-';

/** Notes that what is in this folder of the cache was of use now. It never fails: then it only goes earlier. */
export async function noteUse(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

/** Removes what was not used for 90 days, before anything of it can be in use. A failure is logged. */
export async function forgetUnused(cache: string, nowMs: number, log: Log): Promise<void> {
  try {
    const clones = (await namesIn(join(cache, 'git'))).map((name) => join('git', name));
    for (const name of ['npm', ...clones]) {
      const used = await stat(join(cache, name)).catch(() => undefined);
      if (used === undefined || nowMs - used.mtimeMs < unusedLimitMs) continue;
      await rename(join(cache, name), join(cache, `${removed}${randomUUID()}`));
      log.info(`${name} of the cache was not used for ${unusedLimitMs / day} days, and is removed`);
    }
    for (const name of await namesIn(cache)) if (name.startsWith(removed)) await rm(join(cache, name), { recursive: true, force: true });
  } catch (error) {
    log.warn({ err: error }, `could not tidy ${cache}; it is tried again at the next start`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
