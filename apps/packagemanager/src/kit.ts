// The plugin author's kit, where every plugin finds it: the house's own, so that kit and house never differ. Node looks for
// it in the node_modules beside the packages, and its real path is outside, as it must be to run TypeScript.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exists, linkTarget, switchLink } from './durable.ts';
import type { PackageStore } from './package-store.ts';

/** The kit of this checkout. */
export const ownKitFolder = fileURLToPath(new URL('../../../libs/plugin', import.meta.url));

/** Makes `<packages>/node_modules/@majordomus/plugin` point at the kit. Whoever resolves it meanwhile finds the old or the new. */
export async function renewKit(store: PackageStore, packages: string, kitFolder: string): Promise<void> {
  const scope = join(packages, 'node_modules', '@majordomus');
  const link = join(scope, 'plugin');
  await mkdir(scope, { recursive: true });
  for (const entry of await readdir(scope)) if (entry !== 'plugin') await rm(join(scope, entry), { recursive: true, force: true });
  const target = await linkTarget(link);
  if (target === kitFolder) return;
  if (target === undefined && (await exists(link))) await store.discard(link);
  await switchLink(link, kitFolder);
}
