// dbmanager: the configuration of every plugin on every host, and the schemas that type it.
import { z } from 'zod';
import { configurationItems, configurationKey, jsonValue } from './configuration.ts';
import { contract, type JsonObject } from './contract.ts';
import { semanticVersion } from './manifest.ts';
import { componentName, hostName } from './names.ts';

/** The names that dbmanager answers to: its own, and those of Domogik's two generations. */
export const dbmanagerServices = ['dbmanager', 'dbmgr', 'admin'] as const;

const owner = { host: hostName, plugin: componentName };
const value = jsonValue.describe('the value');
const values = z.record(configurationKey, jsonValue).describe('values by key');

const storageErrors = {
  STORAGE_ERROR: 'The database could not be read or written; nothing was changed.',
} as const;
const refused = { CONFIG_INVALID: 'The plugin’s schema refuses a value; `fields` has the reason for each key.' } as const;
const notFound = { CONFIG_NOT_FOUND: 'The key is not set, and the schema has no default for it.' } as const;

/** Domogik names the plugin `name` beside `type: "plugin"`, and asks for all keys with `*`. */
function fromDomogik(data: JsonObject): JsonObject {
  const { type: _type, name, ...rest } = data;
  const plugin = rest['plugin'] ?? name;
  const accepted: Record<string, unknown> = plugin === undefined ? { ...rest } : { ...rest, plugin };
  if (accepted['key'] === '*') delete accepted['key'];
  return accepted;
}

export const configGet = contract({
  service: 'dbmanager',
  action: 'config.get',
  summary: 'One configured value; without a key (or with `*`) all of them, defaults included.',
  idempotent: true,
  accept: fromDomogik,
  input: z.object({ ...owner, key: configurationKey.optional() }),
  output: z.union([
    z.object({
      ...owner,
      key: configurationKey,
      value,
      default: z.literal(true).optional().describe('there if the key is not set and this is the default of its schema'),
    }),
    z.object({ ...owner, data: values, defaults: z.array(z.string()).describe('the keys whose value is a default') }),
  ]),
  errors: { ...notFound, ...storageErrors },
});

export const configSet = contract({
  service: 'dbmanager',
  action: 'config.set',
  reply: 'config.result',
  summary: 'Sets one value (`key`, `value`), or sets and forgets several (`data`, `forget`), all or none; answered when they are on disk.',
  idempotent: true,
  accept: fromDomogik,
  input: z.union(
    [
      z
        .object({ ...owner, data: values, forget: z.array(configurationKey).optional().describe('keys that are forgotten in the same step') })
        .refine(({ data, forget }) => Object.keys(data).length + (forget?.length ?? 0) > 0, { error: 'has no key to set', path: ['data'] }),
      z.object({ ...owner, key: configurationKey, value }),
    ],
    { error: 'needs host, plugin, and either key and value or data' },
  ),
  output: z.object(owner),
  errors: { ...refused, ...storageErrors },
});

export const configDelete = contract({
  service: 'dbmanager',
  action: 'config.delete',
  reply: 'config.result',
  summary: 'Forgets one value; without a key (or with `*`) all of that plugin on that host.',
  idempotent: true,
  accept: fromDomogik,
  input: z.object({ ...owner, key: configurationKey.optional() }),
  output: z.object({ ...owner, deleted: z.number().int().describe('how many keys were forgotten') }),
  errors: storageErrors,
});

export const configList = contract({
  service: 'dbmanager',
  action: 'config.list',
  reply: 'config.result',
  summary: 'Every host and plugin that has any configuration, with the number of keys.',
  idempotent: true,
  input: z.object({}),
  output: z.object({
    configurations: z
      .array(z.object({ ...owner, keys: z.number().int().describe('how many keys are set') }))
      .describe('one entry for each host and plugin'),
  }),
  errors: storageErrors,
});

export const schemaSet = contract({
  service: 'dbmanager',
  action: 'schema.set',
  reply: 'schema.result',
  summary: 'Stores the configuration items of a plugin; from then on they type its values.',
  idempotent: true,
  input: z.object({ plugin: componentName, version: semanticVersion, items: configurationItems }),
  output: z.object({ plugin: componentName }),
  errors: storageErrors,
});

export const schemaGet = contract({
  service: 'dbmanager',
  action: 'schema.get',
  summary: 'The configuration items of a plugin.',
  idempotent: true,
  input: z.object({ plugin: componentName }),
  output: z.object({ plugin: componentName, version: semanticVersion, items: configurationItems }),
  errors: { SCHEMA_NOT_FOUND: 'No schema of this plugin is known; is it installed?', ...storageErrors },
});

export const databaseCheck = contract({
  service: 'dbmanager',
  action: 'database.check',
  summary: 'Reads the whole database file and says whether anything in it is damaged.',
  idempotent: true,
  input: z.object({}),
  output: z.object({
    problems: z.array(z.string()).describe('what is damaged, as SQLite says it; empty if all is well'),
    bytes: z.number().int().describe('the size of the database'),
  }),
  errors: storageErrors,
});
