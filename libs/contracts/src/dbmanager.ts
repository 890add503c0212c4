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

/** What any action can end with that the database has to do. */
export const storageErrors = {
  STORAGE_FULL: 'There is no room on the disk of the database; nothing was changed. Reads go on, and writes do when there is room again.',
  STORAGE_ERROR: 'The database could not be read or written; the reason says whether something may have been changed all the same.',
} as const;
export const by = z
  .string()
  .regex(/^[^\p{Cc}\u2028\u2029]{1,200}$/u, 'must be one line of text, 200 characters at most')
  .optional()
  .describe('on whose behalf, such as ann@igor');
const reveal = z.boolean().optional().describe('secrets in clear, which is logged');
const shown = {
  masked: z.array(z.string()).optional().describe('the keys whose value is a secret that is not shown, if there are any'),
  revealed: z.array(z.string()).optional().describe('the keys whose value is a secret in clear, if there are any'),
  unreadable: z.array(z.string()).optional().describe('those of `masked` that cannot be decrypted, if there are any'),
};

/**
 * Stands for a secret that is not shown, whatever its type. No password is this text: `config.set` refuses it as the
 * value of a secret.
 */
export const maskedSecret = '••• secret •••';

const refused = { CONFIG_INVALID: 'The plugin’s schema refuses a value; `fields` has the reason for each key.' } as const;
const unreadable = { SECRET_UNREADABLE: 'A secret cannot be decrypted: the key of the house is lost, damaged or another one, or the value was copied here.' } as const;
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
  summary: 'One configured value; without a key (or with `*`) all of them, defaults included. Secrets are masked unless `reveal` is true.',
  idempotent: true,
  accept: fromDomogik,
  input: z.object({ ...owner, key: configurationKey.optional(), reveal, by }),
  output: z.union([
    z.object({
      ...owner,
      key: configurationKey,
      value,
      default: z.literal(true).optional().describe('there if the key is not set and this is the default of its schema'),
      ...shown,
    }),
    z.object({ ...owner, data: values, defaults: z.array(z.string()).describe('the keys whose value is a default'), ...shown }),
  ]),
  errors: { ...notFound, ...unreadable, ...storageErrors },
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
        .object({ ...owner, data: values, forget: z.array(configurationKey).optional().describe('keys that are forgotten in the same step'), by })
        .refine(({ data, forget }) => Object.keys(data).length + (forget?.length ?? 0) > 0, { error: 'has no key to set', path: ['data'] }),
      z.object({ ...owner, key: configurationKey, value, by }),
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
  input: z.object({ ...owner, key: configurationKey.optional(), by }),
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

const changeNumber = z.number().int().min(0);
const historyErrors = {
  HISTORY_NOT_FOUND: 'The history does not reach there: what is needed was pruned, or has not happened yet.',
} as const;

export const configHistory = contract({
  service: 'dbmanager',
  action: 'config.history',
  summary: 'What was changed in the configuration of a plugin on a host, the newest first. Secrets are masked unless `reveal` is true.',
  idempotent: true,
  accept: fromDomogik,
  input: z.object({
    ...owner,
    key: configurationKey.optional(),
    before: changeNumber.optional().describe('only changes with a smaller number'),
    limit: z.number().int().min(1).max(1000).default(100).describe('how many changes at most'),
    reveal,
    by,
  }),
  output: z.object({
    ...owner,
    latest: changeNumber.describe('the number of the newest change of anything in the house; 0 if there is none'),
    changes: z
      .array(
        z.object({
          change: changeNumber.describe('its number, which grows with each change of the house'),
          key: configurationKey,
          old: jsonValue.optional().describe('the value before; not there if the key was not set'),
          new: jsonValue.optional().describe('the value after; not there if the key was forgotten'),
          atMs: z.number().int().describe('when, in milliseconds since 1970'),
          by: z.string().optional().describe('on whose behalf, if that is known'),
          masked: z.literal(true).optional().describe('there if the values are a secret that is not shown'),
        }),
      )
      .describe('the changes, the newest first'),
    revealed: shown.revealed,
  }),
  errors: storageErrors,
});

export const configRevert = contract({
  service: 'dbmanager',
  action: 'config.revert',
  reply: 'config.result',
  summary: 'Puts back one value, or without a key all of a plugin on a host, as they were just after a change; all or none. A key that was not set then is forgotten.',
  idempotent: true,
  accept: fromDomogik,
  input: z.object({ ...owner, key: configurationKey.optional(), to: changeNumber.describe('the number of the change; any change of the house'), by }),
  output: z.object({ ...owner, changed: z.array(z.string()).describe('the keys whose value is another one now') }),
  errors: { ...refused, ...historyErrors, ...unreadable, ...storageErrors },
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
