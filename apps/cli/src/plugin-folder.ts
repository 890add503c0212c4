// The folder of a plugin that is being written: made from a template of the kit, and linked to the house that made it, so that
// its tests run and its editor knows the types before anything is installed.
import { chmodSync, existsSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pluginName } from '@majordomus/contracts';
import { isSystemError, majordomusVersion, systemReason } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { ownPluginFolder } from './own-files.ts';

/** What a plugin can be written in, by the name of its template. */
export const languages = { ts: 'TypeScript', js: 'JavaScript', python: 'Python' } as const;
export type Language = keyof typeof languages;

const top = fileURLToPath(new URL('../../..', import.meta.url));
const templates = join(top, 'libs', 'plugin', 'templates');
/** What stands for the kit outside: in a checkout a folder of its own, in an installed package the kit itself. */
const kitFolder = join(top, 'libs', 'plugin', existsSync(join(top, 'libs', 'plugin', 'src', 'index.ts')) ? 'link' : '.');
/** In a checkout, and in an installed package. */
const domusCommands = [join(top, 'domus'), join(top, 'bin', 'domus.js')];

/**
 * Makes the folder, whole or not at all.
 * @throws CommandError NAME_INVALID, NAME_TAKEN, FOLDER_EXISTS, FOLDER_NOT_WRITABLE
 */
export function createPluginFolder(folder: string, name: string, language: Language): void {
  checkName(name);
  if (exists(folder)) {
    throw new CommandError('FOLDER_EXISTS', `${folder} is there already, and nothing was changed; take another name, or another place with --folder`);
  }
  let staging: string | undefined;
  try {
    staging = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
    copyTemplate(join(templates, language), staging, { name, engine: `^${majordomusVersion}`, kit: kitFolder });
    if (language !== 'python') makeLinks(staging);
    chmodSync(staging, 0o755);
    renameSync(staging, folder);
  } catch (error) {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
    throw notWritable(folder, error);
  }
}

/**
 * Links the folder of a plugin to this house, as `createPluginFolder` does: after a clone, or when the house has moved.
 * @throws CommandError SOURCE_NOT_FOUND, FOLDER_NOT_WRITABLE
 */
export function linkPluginFolder(folder: string): void {
  if (!isNodePlugin(folder)) {
    throw new CommandError('SOURCE_NOT_FOUND', `${folder} is not the folder of a plugin in TypeScript or JavaScript: it has no plugin.json with a "main"`);
  }
  const packageFile = join(folder, 'package.json');
  try {
    if (existsSync(packageFile)) {
      const before = readFileSync(packageFile, 'utf8');
      const after = before.replace(/("@majordomus\/plugin"\s*:\s*"file:)[^"]*"/, (_whole, key: string) => `${key}${inJson(kitFolder)}"`);
      if (after !== before) writeFileSync(packageFile, after);
    }
    makeLinks(folder);
  } catch (error) {
    throw notWritable(folder, error);
  }
}

function checkName(name: string): void {
  const checked = pluginName.safeParse(name);
  if (checked.success) {
    if (ownPluginFolder(name) === undefined) return;
    throw new CommandError('NAME_TAKEN', `${name} is a plugin that comes with Majordomus, and one of the same name would take its place in the house; take another name, for example my-${name}`);
  }
  const meant = basename(name).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^[0-9-]+|-+$/g, '');
  const hint = pluginName.safeParse(meant).success ? `; for example ${meant}` : '';
  const where = name.includes('/') ? ' (--folder says where it is made)' : '';
  throw new CommandError('NAME_INVALID', `${JSON.stringify(name)} cannot be the name of a plugin: it ${checked.error.issues[0]?.message ?? 'is not one'}${hint}${where}`);
}

/** Copies all files with what stands in `{{…}}` filled in; what is executable stays so. */
function copyTemplate(template: string, folder: string, values: Readonly<Record<string, string>>): void {
  for (const path of globSync('**', { cwd: template, exclude: ['**/node_modules', '**/__pycache__'] })) {
    const source = join(template, path);
    // npm packs no file of that name.
    const target = join(folder, path === 'gitignore' ? '.gitignore' : path);
    if (statSync(source).isDirectory()) {
      mkdirSync(target, { recursive: true });
      continue;
    }
    const filled = readFileSync(source, 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (whole, key: string) => {
      const value = values[key] ?? whole;
      return path.endsWith('.json') ? inJson(value) : value;
    });
    writeFileSync(target, filled, { mode: statSync(source).mode & 0o111 ? 0o755 : 0o644 });
  }
}

/**
 * The kit for Node, npm and editors; the house's Node and command for the scripts of package.json. npm keeps the first because
 * package.json names it, and does not touch the others.
 */
function makeLinks(folder: string): void {
  const domus = domusCommands.find((path) => existsSync(path));
  const links = { '@majordomus/plugin': kitFolder, '.bin/node': process.execPath, ...(domus !== undefined && { '.bin/domus': domus }) };
  for (const [name, target] of Object.entries(links)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { recursive: true, force: true });
    symlinkSync(target, link);
  }
}

/** The text inside a string of a JSON file. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function isNodePlugin(folder: string): boolean {
  try {
    const { main }: { readonly main?: unknown } = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8'));
    return typeof main === 'string';
  } catch {
    return false;
  }
}

/** Whether anything is there, also a link that leads nowhere. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Something above it is no folder; it cannot be made, and that is told then.
    return false;
  }
}

function notWritable(folder: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  const why = existsSync(dirname(folder)) ? systemReason(cause) : `there is no folder ${dirname(folder)}`;
  return new CommandError('FOLDER_NOT_WRITABLE', `${folder} cannot be written: ${why}; take another place with --folder`, { cause });
}
