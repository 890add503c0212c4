// The core parts of a house and where their programs are. They are started as programs, never imported.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** In the order in which they are started; they stop in the reverse order, those of one row together. */
export const partNames = ['broker', 'dbmanager', 'packagemanager', 'manager'] as const;
export type PartName = (typeof partNames)[number];

/** Who stops with whom: what uses a part stops before it. */
export const stopOrder: readonly (readonly PartName[])[] = [['manager'], ['packagemanager', 'dbmanager'], ['broker']];

export function isPartName(name: string): name is PartName {
  return (partNames as readonly string[]).includes(name);
}

/** The file that Node runs for a part: its source in a checkout, built JavaScript in an installed package. */
export function partProgram(part: PartName): string {
  const candidates = [`../../${part}/src/main.ts`, `../../${part}/dist/main.js`].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find((path) => existsSync(path)) ?? candidates.join(' or ');
}
