// One edit of a plugin's configuration from the first look to what is set: nothing that was typed is lost, and nothing that
// somebody else set meanwhile is overwritten unseen.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { configGet, configSet, missingKeys, problemsText, schemaGet, type ConfigurationItems, type FieldProblems } from '@majordomus/contracts';
import { PeerError } from '@majordomus/mq';
import { systemReason } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { note } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import { ask, canAsk } from '../questions.ts';
import { type CliSettings, withClient } from '../session.ts';
import { whoAsks } from '../who.ts';
import { changeOf, editedText, marked, shownValues, unmarked, type Change, type Values } from './edited-text.ts';
import { openEditor } from './editor.ts';

const folderPrefix = 'domus-config-';

interface Known {
  readonly items: ConfigurationItems;
  /** What is set; defaults are not. */
  readonly values: Values;
}

export interface EditOptions {
  readonly settings: CliSettings;
  readonly plugin: string;
  /** What an earlier edit left. */
  readonly from?: string | undefined;
}

/** @throws CommandError, CallError; what was typed is then in the file that the message names */
export async function editConfiguration({ settings, plugin, from }: EditOptions): Promise<void> {
  const what = `${plugin} on ${settings.host}`;
  let known = await read(settings, plugin);
  const begin = editedText(what, known.items, known.values);
  const left = from === undefined ? begin : unmarked(readLeft(from));
  // What an earlier edit has left is gone on with where it is, so that no second file holds it.
  const isOwn = from !== undefined && isOwnFile(from, plugin);
  const file = isOwn ? resolve(from) : join(mkdtempSync(join(tmpdir(), folderPrefix)), `${plugin}.toml`);
  writeFileSync(file, left, { mode: 0o600 });
  for (;;) {
    try {
      await openEditor(file, process.env);
      const text = readEdited(file);
      const change = changeOf(text, shownValues(known.items, known.values));
      const problems = 'problems' in change ? change.problems : await apply(change);
      if (problems === undefined) break;
      writeFileSync(file, marked(text, 'Nothing was set; wrong is:', problems));
      await again(problems);
    } catch (error) {
      throw keeping(error);
    }
  }
  rmSync(dirname(file), { recursive: true });
  if (from !== undefined && !isOwn) note(`${from} is not needed any more; it holds what was typed, secrets too: delete it`);

  /** Sets it; what is wrong with it if that is refused, or overtaken. */
  async function apply(change: Change): Promise<FieldProblems | undefined> {
    const keys = [...Object.keys(change.set), ...change.forget];
    if (keys.length === 0) {
      note(`${what}: nothing was changed`);
      return undefined;
    }
    const before = known;
    known = await read(settings, plugin);
    const changed = [...new Set([...Object.keys(before.values), ...Object.keys(known.values)])].filter((key) => !isDeepStrictEqual(before.values[key], known.values[key]));
    const overtaken = changed.filter((key) => keys.includes(key) && before.items[key]?.secret !== true);
    if (overtaken.length > 0) return Object.fromEntries(overtaken.map((key) => [key, `was changed by somebody else meanwhile: ${said(before.values[key])} before, ${said(known.values[key])} now`]));
    const refused = await set(settings, plugin, change);
    if (refused !== undefined) return refused;
    for (const key of changed) note(`${key} was changed by somebody else meanwhile, and stays as it is now: ${known.items[key]?.secret === true ? '(secret)' : said(known.values[key])}`);
    tell(change);
    return undefined;
  }

  function tell({ set, forget }: Change): void {
    const { items, values } = known;
    for (const [key, value] of Object.entries(set)) note(`${what}: ${key} is ${items[key]?.secret === true ? 'set (secret)' : said(value)}`);
    for (const key of forget) note(`${what}: ${key} is forgotten${items[key]?.default === undefined ? '' : `, so ${said(items[key].default)}`}`);
    const left = Object.fromEntries(Object.entries({ ...values, ...set }).filter(([key]) => !forget.includes(key)));
    const missing = missingKeys(items, left);
    if (missing.length > 0) note(`still needed: ${missing.join(', ')}`);
  }

  async function again(problems: FieldProblems): Promise<void> {
    const reason = `${what}: ${problemsText(problems)}; nothing was changed`;
    if (!canAsk()) throw new CommandError('CONFIG_INVALID', reason);
    note(reason);
    const answer = await ask({ name: 'edit', description: 'what next?', type: 'text', required: true, values: [{ value: 'edit again' }, { value: 'give up' }] });
    if (answer !== 'edit again') throw new CommandError('CANCELLED', `${what}: nothing was changed`);
  }

  /** Whatever happens, what was typed stays where the person is told. */
  function keeping(error: unknown): unknown {
    const now = readIfThere(file);
    if (now === undefined || unmarked(now) === begin) {
      rmSync(dirname(file), { recursive: true, force: true });
      return error;
    }
    note(`what you wrote is in ${file}; go on with: ${typedCommand} config edit ${plugin} --from ${file}`);
    note(`it holds what you typed as it is, secrets too; if you do not go on, delete it: rm -r ${dirname(file)}`);
    return error;
  }
}

/** Whether an edit of this plugin made the file, and its folder with it. */
function isOwnFile(path: string, plugin: string): boolean {
  const folder = dirname(resolve(path));
  return basename(path) === `${plugin}.toml` && basename(folder).startsWith(folderPrefix) && dirname(folder) === tmpdir();
}

function readEdited(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError('EDITOR_FAILED', `cannot read ${file} after the editor (${systemReason(cause)}); nothing was changed`, { cause });
  }
}

/** Undefined for what is no file any more. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readLeft(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandError('SOURCE_NOT_FOUND', `cannot read ${file} (${systemReason(cause)}); name the file that an earlier edit has left, or leave --from out`, { cause });
  }
}

async function read(settings: CliSettings, plugin: string): Promise<Known> {
  const { host } = settings;
  return await withClient(settings, async (client) => {
    const reply = await client.call(configGet, { host, plugin });
    const values = 'data' in reply ? Object.fromEntries(Object.entries(reply.data).filter(([key]) => !reply.defaults.includes(key))) : {};
    try {
      return { values, items: (await client.call(schemaGet, { plugin })).items };
    } catch (error) {
      if (error instanceof PeerError && error.code === 'SCHEMA_NOT_FOUND') return { values, items: {} };
      throw error;
    }
  });
}

/** The reasons for each field if it is refused. */
async function set(settings: CliSettings, plugin: string, { set: data, forget }: Change): Promise<FieldProblems | undefined> {
  try {
    await withClient(settings, (client) => client.call(configSet, { host: settings.host, plugin, data, forget: [...forget], by: whoAsks() }));
    return undefined;
  } catch (error) {
    if (error instanceof PeerError && (error.code === 'CONFIG_INVALID' || error.code === 'INVALID_DATA')) {
      const { fields } = error.details as { readonly fields?: FieldProblems };
      return fields ?? { [plugin]: error.message };
    }
    throw error;
  }
}

function said(value: unknown): string {
  return value === undefined ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value);
}
