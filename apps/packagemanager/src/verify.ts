// Whether a package that was copied fits this house: its manifest, what it runs, the version it works with. It reads the
// copy only, in which there are folders and regular files and nothing else.
import { lstat, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pluginInstall, refuse, type FieldProblems, type Manifest } from '@majordomus/contracts';
import { engineProblem } from './engine.ts';
import { manifestInvalid, readManifest } from './manifest-file.ts';

/**
 * The manifest of the package in `folder`, when everything fits.
 * @throws ActionFailure MANIFEST_INVALID, ENGINE_MISMATCH
 */
export async function verifyPackage(folder: string, majordomusVersion: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const problem = manifest.main === undefined ? await execProblem(folder, manifest.exec ?? []) : await mainProblem(folder, manifest.main);
  if (problem !== undefined) throw manifestInvalid(problem);
  const unfit = engineProblem(manifest, majordomusVersion);
  if (unfit !== undefined) throw refuse(pluginInstall, 'ENGINE_MISMATCH', unfit);
  return manifest;
}

async function mainProblem(folder: string, main: string): Promise<FieldProblems | undefined> {
  return (await fileMode(join(folder, main))) === undefined ? { main: `is no file of the package: ${main}` } : undefined;
}

/** A first word that is a file of the package is run as that file; a bare word is a program that the host finds. */
async function execProblem(folder: string, exec: readonly string[]): Promise<FieldProblems | undefined> {
  const unusable = exec.findIndex((word) => word.includes('\0'));
  if (unusable >= 0) return { [`exec.${unusable}`]: 'holds a NUL character' };
  const program = exec[0] ?? '';
  if (program.split('/').includes('..')) return { 'exec.0': 'is a program or a path inside the package, without ".."' };
  if (isAbsolute(program)) {
    return (await fileMode(program, true)) === undefined ? { 'exec.0': `is no file on this host: ${program}` } : undefined;
  }
  const mode = await fileMode(join(folder, program));
  if (mode === undefined) return program.includes('/') ? { 'exec.0': `is no file of the package: ${program}` } : undefined;
  return (mode & 0o111) === 0 ? { 'exec.0': `is not executable: ${program}; run chmod +x on it` } : undefined;
}

/** The mode of a regular file, or undefined if there is none at this path. */
async function fileMode(path: string, followLinks = false): Promise<number | undefined> {
  try {
    const stats = await (followLinks ? stat(path) : lstat(path));
    return stats.isFile() ? stats.mode : undefined;
  } catch {
    return undefined;
  }
}
