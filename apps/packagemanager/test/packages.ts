// Real packages in real folders, for the tests.
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ManifestSource } from '@majordomus/contracts';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder of its own, removed at the end. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'majordomus-packages-')));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const goodManifest: ManifestSource = {
  name: 'lamp',
  version: '1.0.0',
  description: 'Switches a lamp',
  engine: '>=0.1.0',
  main: 'src/main.ts',
  configuration: { limit: { type: 'integer', description: 'the limit', default: 90, min: 1, max: 100 } },
};

export interface PackageContent {
  readonly manifest?: Partial<ManifestSource>;
  /** Further files, by path; undefined leaves a file out. */
  readonly files?: Readonly<Record<string, string | Uint8Array | undefined>>;
  readonly executable?: readonly string[];
}

/** Writes a plugin package into `folder`, and returns the folder. */
export async function writePackage(folder: string, { manifest = {}, files = {}, executable = [] }: PackageContent = {}): Promise<string> {
  const all = {
    'plugin.json': JSON.stringify({ ...goodManifest, ...manifest }),
    'src/main.ts': 'export const greeting: string = "hello";\n',
    ...files,
  };
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(all)) {
    if (content === undefined) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  for (const path of executable) await chmod(join(folder, path), 0o755);
  return folder;
}

/** Everything below a folder: links with their target, files with what they hold, sorted. */
export async function treeOf(top: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const visit = async (inside: string): Promise<void> => {
    for (const name of (await readdir(join(top, inside))).sort()) {
      const path = inside === '' ? name : `${inside}/${name}`;
      const stats = await lstat(join(top, path));
      if (stats.isDirectory()) await visit(path);
      else if (stats.isSymbolicLink()) tree[path] = `-> ${await readlink(join(top, path))}`;
      else tree[path] = await readFile(join(top, path), 'utf8');
    }
  };
  await visit('');
  return tree;
}
