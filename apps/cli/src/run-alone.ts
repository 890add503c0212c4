// `domus run PART …`: one part alone in this process and this terminal, for a debugger or a second look. A plugin's folder is
// run in the same way, and so is a program that a plugin brings.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean, epochVariable, exitCannotStart } from '@majordomus/runtime';
import { typedCommand } from './own-files.ts';
import { ownPrograms } from './own-programs.ts';
import { isPartName, partNames, partProgram } from './parts.ts';
import { runExec } from './run-exec.ts';

/** Without a name it says which there are. */
export async function runAlone(what: string | undefined, args: readonly string[]): Promise<void> {
  const programs = ownPrograms();
  const manifest = what === undefined || isPartName(what) || programs.has(what) ? undefined : manifestOf(resolve(what));
  if (manifest?.name !== undefined) await takeItsPlace(manifest.name, args);
  const exec = manifest?.exec;
  if (what !== undefined && exec !== undefined) return runExec(resolve(what), exec, args);
  const program = what === undefined ? undefined : isPartName(what) ? partProgram(what) : (programs.get(what) ?? folderProgram(resolve(what)));
  if (what === undefined || program === undefined) {
    const meant = what === undefined ? undefined : (didYouMean(what, [...partNames, ...programs.keys()]) ?? nearFolder(what));
    const all = `parts: ${partNames.join(', ')}; programs of plugins: ${[...programs.keys()].join(', ')}; or the folder of a plugin or an app`;
    process.stderr.write(`domus: ${what === undefined ? 'run needs the name of what is to run' : `there is no part ${what}`}; ${meant === undefined ? all : `did you mean ${meant}?`}\n`);
    process.exit(exitCannotStart);
  }
  if (!isPartName(what)) offerKit();
  process.argv.splice(1, process.argv.length, program, ...args);
  await import(pathToFileURL(program).href);
}

/**
 * What is run by hand has an epoch above all that ran before it, so that it takes their place, and whoever starts the plugin later takes
 * its own. Only the plugin that the house runs is not replaced: its manager would start it again.
 */
async function takeItsPlace(name: string, args: readonly string[]): Promise<void> {
  const { knownInHouse } = await import('./running-plugin.ts');
  const { running, epoch = 0 } = await knownInHouse(name, args);
  process.env[epochVariable] = String(Math.max(Date.now(), epoch + 1));
  if (running === undefined) return;
  process.stderr.write(`domus: ${running.id} runs already (pid ${running.pid}); stop it first: ${typedCommand} plugin stop ${running.id}\n`);
  process.exit(exitCannotStart);
}

/** The file that Node runs for a folder: a plugin's own word, or where every app has it. */
function folderProgram(folder: string): string | undefined {
  const { main = 'src/main.ts' } = manifestOf(folder) ?? {};
  return existsSync(join(folder, main)) ? join(folder, main) : undefined;
}

/** A folder that can be run and may have been meant: `apps/sn` and `sun` are `apps/sun`. */
function nearFolder(typed: string): string | undefined {
  const places = typed.includes('/') ? [dirname(typed)] : ['.', 'apps', 'plugins'];
  for (const place of places) {
    const names = foldersIn(place).filter((name) => canRun(join(place, name)));
    const name = names.find((one) => one === basename(typed)) ?? didYouMean(basename(typed), names);
    if (name !== undefined) return join(place, name);
  }
  return undefined;
}

function foldersIn(place: string): readonly string[] {
  return existsSync(place) ? readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name) : [];
}

function canRun(folder: string): boolean {
  return existsSync(join(folder, 'plugin.json')) || existsSync(join(folder, 'src', 'main.ts'));
}

function manifestOf(folder: string): { readonly name?: string; readonly main?: string; readonly exec?: readonly string[] } | undefined {
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
