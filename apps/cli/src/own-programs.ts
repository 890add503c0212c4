// Programs that the plugins which come with Majordomus offer beside themselves, such as a simulator of their devices: `bin` of their
// package.json. `domus run` runs them by name.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPluginFolder, ownPluginNames } from './own-files.ts';

/** The file of each program, by its name. */
export function ownPrograms(): ReadonlyMap<string, string> {
  return new Map(ownPluginNames().flatMap((name) => programsIn(ownPluginFolder(name) ?? name)));
}

function programsIn(folder: string): [name: string, program: string][] {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return [];
  const { bin = {} }: { readonly bin?: Readonly<Record<string, string>> } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(bin).map(([name, program]) => [name, join(folder, program)]);
}
