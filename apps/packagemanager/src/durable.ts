// File operations that survive a power cut, and links that switch in one step. What is written here is on the disk
// when the promise is fulfilled, not only in the memory of the machine.
import { randomUUID } from 'node:crypto';
import { lstat, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError, syncPathAside } from '@majordomus/runtime';

/** How many files are brought to disk at once: one flush of the disk then serves several. */
const syncAtOnce = 32;

/** Brings a whole tree to disk: first every file, then the folders from the innermost out. Links are names in folders. */
export async function syncTree(top: string, signal: AbortSignal): Promise<void> {
  const files: string[] = [];
  const folders = [top];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
      else if (entry.isFile()) files.push(join(folder, entry.name));
    }
  }
  for (let next = 0; next < files.length; next += syncAtOnce) {
    signal.throwIfAborted();
    await Promise.all(files.slice(next, next + syncAtOnce).map(syncPathAside));
  }
  for (const folder of folders.toReversed()) {
    signal.throwIfAborted();
    await syncPathAside(folder);
  }
}

/** The target of a link, or undefined if there is none at this path. */
export async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return undefined;
    throw error;
  }
}

/** Whether anything at all stands at this path, a dangling link included. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Writes a file in one step: whoever reads it meanwhile finds the old content or the new, whole. */
export async function writeDurably(file: string, content: string): Promise<void> {
  const beside = join(dirname(file), `.file-${randomUUID()}`);
  try {
    {
      await using handle = await open(beside, 'wx', 0o600);
      await handle.writeFile(content);
      await handle.sync();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncPathAside(dirname(file));
}

/**
 * Makes `link` point at `target`, durably and in one step: whoever follows it meanwhile finds the old target or the new.
 * `beforeSwitch` runs when the new link is written and not yet in its place.
 */
export async function switchLink(link: string, target: string, beforeSwitch?: () => Promise<void>): Promise<void> {
  const beside = join(dirname(link), `.link-${randomUUID()}`);
  await symlink(target, beside);
  try {
    await renameLink(beside, link, beforeSwitch);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Puts a link that was made ready in the place of another one, durably and in one step. */
export async function renameLink(ready: string, link: string, beforeSwitch?: () => Promise<void>): Promise<void> {
  await beforeSwitch?.();
  await rename(ready, link);
  await syncPathAside(dirname(link));
}
