// `domus run PART …`: one part alone in this process and this terminal, for a debugger or a second look. A plugin's folder
// is run in the same way.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean, exitCannotStart } from '@majordomus/runtime';
import { isPartName, partNames, partProgram } from './parts.ts';

export async function runAlone(what: string, args: readonly string[]): Promise<void> {
  const program = isPartName(what) ? partProgram(what) : pluginProgram(resolve(what));
  if (program === undefined) {
    const meant = didYouMean(what, partNames);
    process.stderr.write(`domus: there is no part ${what}; ${meant === undefined ? `parts: ${partNames.join(', ')}, or the folder of a plugin` : `did you mean ${meant}?`}\n`);
    process.exit(exitCannotStart);
  }
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(pathToFileURL(program).href);
}

/** The file that runs a plugin from its folder, if it is one that Node runs. */
function pluginProgram(folder: string): string | undefined {
  const manifest = join(folder, 'plugin.json');
  if (!existsSync(manifest)) return undefined;
  const { main }: { readonly main?: unknown } = JSON.parse(readFileSync(manifest, 'utf8'));
  return typeof main === 'string' ? join(folder, main) : undefined;
}
