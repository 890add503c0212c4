// When something in a folder was saved. It looks at the files again and again, as often as that is cheap: editors save by renaming,
// write several files at once and make folders, and each of these is only one more difference between two looks.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isSystemError } from '@majordomus/runtime';
import { CommandError } from './failure.ts';

const pollMs = 100;
/** A look at a large folder takes a while; the pauses between are so many times longer. */
const pauseFactor = 20;
/** What no author saves: dependencies, caches, and the files that editors and git keep for themselves. */
const ignored = /^\.|~$|^node_modules$|^__pycache__$/;

/**
 * What is saved in the folder from when this has returned: yields each time that something was, and then nothing more for a moment.
 * The generator throws CommandError FOLDER_GONE.
 */
export async function savesOf(folder: string, signal: AbortSignal): Promise<AsyncGenerator<void>> {
  return savesSince(await lookAt(folder), folder, signal);
}

async function* savesSince(first: string, folder: string, signal: AbortSignal): AsyncGenerator<void> {
  let told = first;
  let last = first;
  let pauseMs = pollMs;
  for (;;) {
    // It ends by the signal, and only by it.
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const startedMs = performance.now();
    const now = await lookAt(folder);
    pauseMs = Math.max(pollMs, (performance.now() - startedMs) * pauseFactor);
    const isAtRest = now === last;
    last = now;
    if (isAtRest && now === gone) throw new CommandError('FOLDER_GONE', `${folder} is not there any more`);
    if (isAtRest && now !== told) {
      told = now;
      yield;
    }
  }
}

const gone = 'gone';

/** All files with their sizes, modes and times, as one text. */
export async function lookAt(folder: string): Promise<string> {
  const found: string[] = [];
  const folders = [''];
  for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
    const entries = await unlessMissing(readdir(join(folder, inside), { withFileTypes: true }));
    if (entries === undefined && inside === '') return gone;
    for (const entry of entries ?? []) {
      if (ignored.test(entry.name)) continue;
      const path = join(inside, entry.name);
      if (entry.isDirectory()) folders.push(path);
      const stats = await unlessMissing(stat(join(folder, path)));
      // The time of a folder changes with the files that are ignored in it.
      found.push(stats === undefined || entry.isDirectory() ? path : `${path} ${stats.size} ${stats.mode} ${stats.mtimeMs}`);
    }
  }
  return found.sort().join('\n');
}

/** What is deleted while it is looked at is simply not there. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined;
    throw error;
  }
}
