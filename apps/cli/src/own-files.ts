// What this command line is part of, a checkout or an installed package, and what comes with both in the same folders.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const isCheckout = import.meta.url.endsWith('.ts');

/** What a person types to start this command line. */
export const typedCommand = isCheckout ? './domus' : 'domus';

/** What a part says to do, `see: domus status` or `(domus status)`, as a person types it here: a part knows only that the command is called `domus`. */
export function asTyped(text: string, typed: string = typedCommand): string {
  return text.replaceAll(/(?<=[:;] |\()domus (?=[a-z])/g, `${typed} `);
}

/** What a program runs to start this command line, whatever is on its path. */
export const ownCommand: readonly string[] = isCheckout ? [ownFile('domus')] : [process.execPath, ownFile('bin/domus.js')];

/** The folder of a plugin that comes with Majordomus; undefined for another name. */
export function ownPluginFolder(name: string): string | undefined {
  const folder = ownFile(`plugins/${name}`);
  return /^[a-z][a-z0-9-]*$/.test(name) && existsSync(`${folder}/plugin.json`) ? folder : undefined;
}

/** The plugins that come with Majordomus. */
export function ownPluginNames(): readonly string[] {
  return readdirSync(ownFile('plugins')).filter((name) => ownPluginFolder(name) !== undefined);
}

/** @param path from the top of the checkout or package */
function ownFile(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
