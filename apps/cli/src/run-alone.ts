// `domus run PART …`: one part alone in this process and this terminal, for a debugger or a second look. A plugin's folder is
// run in the same way, and so is a program that a plugin brings.
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean, exitCannotStart } from '@majordomus/runtime';
import { ownPrograms } from './own-programs.ts';
import { isPartName, partNames, partProgram } from './parts.ts';
import { runExec } from './run-exec.ts';

/** Without a name it says which there are. */
export async function runAlone(what: string | undefined, args: readonly string[]): Promise<void> {
  const programs = ownPrograms();
  const exec = what === undefined || isPartName(what) || programs.has(what) ? undefined : manifestOf(resolve(what))?.exec;
  if (what !== undefined && exec !== undefined) return runExec(resolve(what), exec, args);
  const program = what === undefined ? undefined : isPartName(what) ? partProgram(what) : (programs.get(what) ?? folderProgram(resolve(what)));
  if (what === undefined || program === undefined) {
    const meant = what === undefined ? undefined : didYouMean(what, [...partNames, ...programs.keys()]);
    const all = `parts: ${partNames.join(', ')}; programs of plugins: ${[...programs.keys()].join(', ')}; or the folder of a plugin or an app`;
    process.stderr.write(`domus: ${what === undefined ? 'run needs the name of what is to run' : `there is no part ${what}`}; ${meant === undefined ? all : `did you mean ${meant}?`}\n`);
    process.exit(exitCannotStart);
  }
  if (!isPartName(what)) offerKit();
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(pathToFileURL(program).href);
}

/** The file that Node runs for a folder: a plugin's own word, or where every app has it. */
function folderProgram(folder: string): string | undefined {
  const { main = 'src/main.ts' } = manifestOf(folder) ?? {};
  return existsSync(join(folder, main)) ? join(folder, main) : undefined;
}

function manifestOf(folder: string): { readonly main?: string; readonly exec?: readonly string[] } | undefined {
  const file = join(folder, 'plugin.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** A plugin that is not installed finds the house's own kit, as an installed one does. */
function offerKit(): void {
  const kit = new URL('../../../libs/plugin/src/index.ts', import.meta.url);
  registerHooks({
    resolve: (specifier, context, next) => (specifier === '@majordomus/plugin' ? { url: kit.href, shortCircuit: true } : next(specifier, context)),
  });
}
