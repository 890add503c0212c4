// What the rights of a user forbid, also where the tests run as root, who may read and write everything.
import { chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const nobody = 65_534;

/** Runs as a user who has `folder` and no special rights. */
export async function asNobody(folder: string, run: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return run();
  await chown(folder, nobody, nobody);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), nobody, nobody);
  }
  process.seteuid?.(nobody);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}
