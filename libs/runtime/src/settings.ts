// Settings come from flags, then DOMUS_* variables, then majordomus.toml in the home, then defaults. Each is checked
// once, at start; a wrong one is a StartError that names the setting and where its value came from.
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseToml, TomlError } from 'smol-toml';
import { z } from 'zod';
import { isSystemError, reasonOf, systemReason } from './error-reason.ts';
import { homePaths } from './home.ts';
import { StartError } from './start-error.ts';

/** One setting: `log-level` is `--log-level`, `DOMUS_LOG_LEVEL`, and `log-level` in majordomus.toml. */
export interface Setting<T> {
  readonly name: string;
  readonly description: string;
  /** Checks and converts; values from flags and variables arrive as strings. */
  readonly schema: z.ZodType<T>;
  readonly fallback: T;
  /** The table of majordomus.toml it stands in; the top level without it. */
  readonly table?: string;
}

/** Settings by the name under which the code knows them. */
export type SettingDefinitions = { readonly [key: string]: Setting<unknown> };
export type SettingsOf<D extends SettingDefinitions> = { readonly [K in keyof D]: D[K] extends Setting<infer T> ? T : never };

/** A port above the last one would be cut to its low 16 bits by libzmq. */
const maxPort = 65_535;

const endpoint = z
  .string()
  .regex(/^(tcp:\/\/[^\s:/]+:(\d{1,5}|\*)|tcp:\/\/\[[0-9a-fA-F:]+\]:(\d{1,5}|\*)|ipc:\/\/\S+)$/, 'must be an address such as tcp://127.0.0.1:40410')
  .refine((address) => Number(/^tcp:.*:(\d+)$/.exec(address)?.[1] ?? 0) <= maxPort, { error: `must have a port up to ${maxPort}` });

export const defaultEndpoint = 'tcp://127.0.0.1:40410';

/** The settings that every part has. */
export const commonSettings = {
  home: { name: 'home', description: 'the folder in which the house keeps its files', schema: z.string().min(1, 'must be a path').transform((path) => resolve(path)), fallback: join(homedir(), '.majordomus') },
  broker: { name: 'broker', description: 'where clients and workers reach the broker', schema: endpoint, fallback: defaultEndpoint },
  host: { name: 'host', description: 'the name of this host in service names', schema: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a host name: lower-case letters, digits and "-"'), fallback: ownHostName() },
  logLevel: { name: 'log-level', description: 'trace, debug, info, warn, error or silent', schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']), fallback: 'info' },
} as const satisfies SettingDefinitions;

export type CommonSettings = SettingsOf<typeof commonSettings>;

/** Where the broker listens; the broker and `up` have it. */
export const bindSetting = { name: 'bind', description: 'where the broker listens (port * for any free one)', schema: endpoint, fallback: defaultEndpoint } as const satisfies Setting<string>;

/** The house elsewhere that this host belongs to; `up` has it. */
export const joinSetting = {
  name: 'join',
  description: 'the broker of the house elsewhere that this host joins, such as tcp://192.168.1.10:40410',
  schema: endpoint.refine((address) => !/^tcp:\/\/(\*|0\.0\.0\.0|\[::\]):|:(\*|0)$/.test(address), { error: 'must be where the broker is reached, with its machine and its port, such as tcp://192.168.1.10:40410' }).optional(),
  fallback: undefined,
} as const satisfies Setting<string | undefined>;

/** Whether a part that runs on every host also answers for the house, under its bare name: true on one host. */
export const primarySetting = {
  name: 'primary',
  description: 'whether this host also answers for the house, as plain "manager" and "packagemanager": true on one host',
  schema: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], { error: 'must be true or false' }),
  fallback: true,
} as const satisfies Setting<boolean>;

/** This machine's first DNS label in lower case, as far as it is a host name. */
export function ownHostName(name = hostname()): string {
  const label = (name.split('.')[0] ?? '').toLowerCase().replaceAll(/[^a-z0-9-]/g, '-').replace(/^-+/, '').slice(0, 63);
  return label === '' ? 'localhost' : label;
}

export interface SettingSources {
  /** By setting name; undefined is not given. */
  readonly flags: { readonly [name: string]: string | undefined };
  readonly env: { readonly [name: string]: string | undefined };
}

/**
 * Reads and checks settings. `home` is read first, because majordomus.toml stands in it.
 * @throws StartError SETTING_INVALID, CONFIG_FILE_INVALID
 */
export function readSettings<D extends SettingDefinitions>(definitions: D, { flags, env }: SettingSources): SettingsOf<D> {
  const home = valueOf(commonSettings.home, { flags, env }, undefined);
  const file = readSettingsFile(homePaths(String(home)).settingsFile);
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(definitions)) values[key] = valueOf(setting, { flags, env }, file);
  if (file !== undefined) refuseUnknownKeys(file, definitions);
  return values as SettingsOf<D>;
}

/** Whether a setting was given anywhere, or has its default. */
export function isGiven(setting: Setting<unknown>, { flags, env }: SettingSources, home: string): boolean {
  return given(setting, { flags, env }, readSettingsFile(homePaths(home).settingsFile)) !== undefined;
}

/**
 * The flags of a part's own command line, `--name value` or `--name=value`.
 * @throws StartError SETTING_INVALID for what is not a flag of these
 */
export function parseFlags(definitions: SettingDefinitions, args: readonly string[]): SettingSources['flags'] {
  const options = Object.fromEntries(Object.values(definitions).map(({ name }) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (cause) {
    const known = Object.values(definitions).map(({ name }) => `--${name}`).join(', ');
    const what = reasonOf(cause).split(/\.\s/)[0];
    throw new StartError('SETTING_INVALID', `${what}; known flags: ${known}`, { cause });
  }
}

interface SettingsFile {
  readonly path: string;
  readonly content: { readonly [key: string]: unknown };
}

function readSettingsFile(path: string): SettingsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new StartError('CONFIG_FILE_INVALID', `cannot read ${path}: ${systemReason(cause)}; make it a readable file, or move it away to start with defaults`, { cause });
  }
  try {
    return { path, content: parseToml(text) };
  } catch (cause) {
    const where = cause instanceof TomlError ? `, line ${cause.line}, column ${cause.column}` : '';
    const what = reasonOf(cause).split('\n')[0]?.replace('Invalid TOML document: ', '');
    throw new StartError('CONFIG_FILE_INVALID', `${path}${where} is not valid TOML: ${what}; mend the line, or move the file away to start with defaults`, { cause });
  }
}

function given(setting: Setting<unknown>, { flags, env }: SettingSources, file: SettingsFile | undefined): { readonly value: unknown; readonly from: string } | undefined {
  const flag = flags[setting.name];
  if (flag !== undefined) return { value: flag, from: `--${setting.name}` };
  const variable = `DOMUS_${setting.name.toUpperCase().replaceAll('-', '_')}`;
  const fromEnv = env[variable];
  if (fromEnv !== undefined && fromEnv !== '') return { value: fromEnv, from: variable };
  if (file === undefined) return undefined;
  const table = setting.table === undefined ? file.content : file.content[setting.table];
  const value = typeof table === 'object' && table !== null ? (table as Record<string, unknown>)[setting.name] : undefined;
  return value === undefined ? undefined : { value, from: `${setting.name} in ${file.path}` };
}

function valueOf(setting: Setting<unknown>, sources: SettingSources, file: SettingsFile | undefined): unknown {
  const found = given(setting, sources, file);
  if (found === undefined) return setting.fallback;
  const checked = setting.schema.safeParse(found.value);
  if (checked.success) return checked.data;
  throw new StartError('SETTING_INVALID', `${found.from}: ${JSON.stringify(found.value)} ${problemOf(checked.error)}`);
}

/** The first problem of a zod error, as the end of a sentence whose subject is the value. */
function problemOf(error: z.ZodError): string {
  const issue = error.issues[0];
  const message = issue?.message ?? 'is not valid';
  if (message.startsWith('must ')) return message;
  if (issue?.code === 'invalid_type') return `must be a ${issue.expected}`;
  if (issue?.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return `is refused: ${message}`;
}

/** The tables of majordomus.toml, each with the settings of one part. */
const partTables = ['limits', 'manager', 'packagemanager', 'dbmanager'] as const;

/** The top level has the common settings but the home, in which the file stands, and the parts' tables; a table that is ours has only our settings. */
function refuseUnknownKeys(file: SettingsFile, definitions: SettingDefinitions): void {
  const settings: Setting<unknown>[] = [...Object.values(definitions), ...Object.values(commonSettings), bindSetting, joinSetting, primarySetting];
  const top = new Set(settings.filter(({ name, table }) => table === undefined && name !== commonSettings.home.name).map(({ name }) => name));
  const ownTables = new Set(settings.flatMap(({ table }) => (table === undefined ? [] : [table])));
  for (const [key, value] of Object.entries(file.content)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isTable && !top.has(key)) {
      throw new StartError('CONFIG_FILE_INVALID', `${key} in ${file.path} is not a setting; known: ${[...top].join(', ')}`);
    }
    const tables = new Set([...partTables, ...ownTables]);
    if (isTable && !tables.has(key)) {
      throw new StartError('CONFIG_FILE_INVALID', `[${key}] in ${file.path} is not a table of settings; known: ${[...tables].join(', ')}`);
    }
    if (!isTable || !ownTables.has(key)) continue;
    const known = new Set(settings.filter(({ table }) => table === key).map(({ name }) => name));
    const wrong = Object.keys(value).find((name) => !known.has(name));
    if (wrong !== undefined) {
      throw new StartError('CONFIG_FILE_INVALID', `${wrong} in [${key}] of ${file.path} is not a setting; known: ${[...known].join(', ')}`);
    }
  }
}
