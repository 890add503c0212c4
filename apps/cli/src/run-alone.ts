// `domus run PART …`: one part alone in this process and this terminal, for a debugger or a second look. A plugin's folder
// is run in the same way.
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
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
  if (!isPartName(what)) offerKit();
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

/** A plugin that is not installed finds the house's own kit, as an installed one does. */
function offerKit(): void {
  const kit = ['../../../libs/plugin/src/index.ts', '../../../libs/plugin/dist/index.js'].map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  registerHooks({
    resolve: (specifier, context, next) => (specifier === '@majordomus/plugin' && kit !== undefined ? { url: kit.href, shortCircuit: true } : next(specifier, context)),
  });
}
