// The configuration of a plugin as a text that a person edits, and that text as a change. The text is TOML, for its comments:
// each item is described by its schema, and what is not set stands there as a comment with its default. Pure.
import { jsonValue, type ConfigurationItem, type ConfigurationItems, type FieldProblems, type JsonValue } from '@majordomus/contracts';
import { parse, TomlDate, TomlError } from 'smol-toml';
import { isDeepStrictEqual } from 'node:util';
import { itemType } from '../item-text.ts';
import { typedCommand } from '../own-files.ts';

export type Values = Readonly<Record<string, JsonValue>>;

/** What is to be done so that the configuration is as the text says. */
export interface Change {
  readonly set: Values;
  readonly forget: readonly string[];
}

/** What is wrong with a text, a reason for each field; a text that is no TOML has the place as its field. */
export interface Wrong {
  readonly problems: FieldProblems;
}

/** Lines that were put in by an earlier round. */
const mark = '#! ';

/** The text for what is set, `values`, of what can be set, `items`. */
export function editedText(what: string, items: ConfigurationItems, values: Values): string {
  const others = Object.keys(values).filter((key) => !Object.hasOwn(items, key));
  const known = Object.keys(items).length > 0;
  return `${[
    `# The configuration of ${what}. Save and close to set it: all of it or, if something is wrong, nothing.`,
    '# A line that begins with "#" sets nothing: take the "#" away to set its value. Take a line away to forget its value.',
    ...Object.entries(items).map(([key, item]) => itemText(key, item, values)),
    ...(others.length > 0 && known ? ['\n# The plugin does not know what follows.'] : ['']),
    ...others.map((key) => (isShown(undefined, values[key] ?? null) ? assignment(key, values[key] ?? null) : `# ${key} is set, and cannot be shown here; change it with: ${typedCommand} config set`)),
  ].join('\n').trimEnd()}\n`;
}

/** The values that such a text shows: all that are set, secrets left out. */
export function shownValues(items: ConfigurationItems, values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([key, value]) => isShown(items[key], value)));
}

/** What a text changes in what it showed. */
export function changeOf(text: string, shown: Values): Change | Wrong {
  const read = readText(text);
  if ('problems' in read) return read;
  const set = Object.entries(read.values).filter(([key, value]) => !Object.hasOwn(shown, key) || !isDeepStrictEqual(shown[key], value));
  return { set: Object.fromEntries(set), forget: Object.keys(shown).filter((key) => !Object.hasOwn(read.values, key)) };
}

/** The same text with what is wrong with it at its beginning. */
export function marked(text: string, why: string, problems: FieldProblems): string {
  const before = text.split('\n').filter((line) => line.startsWith(mark)).length;
  const lines = Object.entries(problems).map(([field, reason]) => `${mark}  ${moved(field)}: ${reason}`);
  return `${mark}${why}\n${lines.join('\n')}\n${unmarked(text)}`;

  /** The lines of the text move with what is put before them. */
  function moved(field: string): string {
    const line = /^line (\d+)/.exec(field)?.[1];
    return line === undefined ? field : field.replace(line, String(Number(line) - before + Object.keys(problems).length + 1));
  }
}

/** The text without what was wrong. */
export function unmarked(text: string): string {
  return text.split('\n').filter((line) => !line.startsWith(mark)).join('\n');
}

function itemText(key: string, item: ConfigurationItem, values: Values): string {
  const isSet = Object.hasOwn(values, key);
  const value = values[key] ?? null;
  const facts = [itemType(item), ...(item.default !== undefined ? [`default ${JSON.stringify(item.default)}`] : item.required === true ? ['needed'] : [])];
  const hidden = item.secret === true ? `# secret: ${isSet ? 'it is set, and not shown' : 'it is not set'}` : isSet && !isShown(item, value) ? '# it is set, and cannot be shown here' : undefined;
  const stands = hidden === undefined && isSet ? assignment(key, value) : `#${assignment(key, item.secret === true ? '' : (item.default ?? item.example ?? ''))}`;
  return ['', ...item.description.split('\n').map((line) => `# ${line}`), `# ${facts.join(', ')}`, ...(hidden === undefined ? [] : [hidden]), stands].join('\n');
}

function isShown(item: ConfigurationItem | undefined, value: JsonValue): boolean {
  if (item?.secret === true) return false;
  const read = readText(assignment('value', value));
  return 'values' in read && isDeepStrictEqual(read.values['value'], value);
}

function assignment(key: string, value: JsonValue): string {
  return `${tomlKey(key)} = ${tomlValue(value)}`;
}

function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

/** A value in one line; TOML has no null, which is then not what is read again. */
function tomlValue(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{ ${Object.entries(value).map(([key, inner]) => assignment(key, inner)).join(', ')} }`;
  return JSON.stringify(value);
}

function readText(text: string): { readonly values: Values } | Wrong {
  let table: Readonly<Record<string, unknown>>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '';
    return { problems: { [`line ${error.line}, column ${error.column}`]: what } };
  }
  const values: [string, JsonValue][] = [];
  const problems: [string, string][] = [];
  for (const [key, value] of Object.entries(table)) {
    const checked = jsonValue.safeParse(withoutDates(value));
    if (checked.success) values.push([key, checked.data]);
    else problems.push([key, 'must be text, a number, true or false, a list or an object']);
  }
  // Not by assignment: a key may be called __proto__.
  return problems.length > 0 ? { problems: Object.fromEntries(problems) } : { values: Object.fromEntries(values) };
}

/** Dates are text here, as in JSON. TOML's own tables have no prototype. */
function withoutDates(value: unknown): unknown {
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(withoutDates);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutDates(inner)]));
  return value;
}
