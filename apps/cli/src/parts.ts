// The core parts of a house and where their programs are. They are started as programs, never imported.
import { fileURLToPath } from 'node:url';

/** In the order in which they are started; they stop in the reverse order, those of one row together. */
export const partNames = ['broker', 'dbmanager', 'packagemanager', 'manager'] as const;
export type PartName = (typeof partNames)[number];

/** Those that run on every host of a house; the others run on its primary host alone. */
export const hostPartNames = ['packagemanager', 'manager'] as const satisfies readonly PartName[];

/** Who stops with whom: what uses a part stops before it. */
export const stopOrder: readonly (readonly PartName[])[] = [['manager'], ['packagemanager', 'dbmanager'], ['broker']];

/** What has a log as a part: the parts, and `domus up` itself. */
export const loggedParts = ['house', ...partNames] as const;
export type LoggedPart = (typeof loggedParts)[number];

export function isLoggedPart(name: string): name is LoggedPart {
  return (loggedParts as readonly string[]).includes(name);
}

export function isPartName(name: string): name is PartName {
  return (partNames as readonly string[]).includes(name);
}

/** The file that Node runs for a part. */
export function partProgram(part: PartName): string {
  return fileURLToPath(new URL(`../../${part}/src/main.ts`, import.meta.url));
}
