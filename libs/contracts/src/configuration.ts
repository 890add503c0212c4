// What a plugin can be told: its configuration items, and the check of a value against them. The parameters of
// a plugin's commands have the same form.
import { z } from 'zod';
import type { FieldProblems } from './field-problems.ts';

/** Any JSON value. */
export const jsonValue = z.json().meta({ id: 'JsonValue', description: 'Any JSON value.' });
export type JsonValue = z.infer<typeof jsonValue>;

const text = z.string().min(1).max(1000);

/**
 * One configuration item. It carries a `default`, or else an `example`: people see it in the help, and the
 * type of the value in a plugin's code is read from it.
 */
export const configurationItem = z
  .strictObject({
    type: z.enum(['string', 'integer', 'number', 'boolean', 'list', 'object']).describe('what kind of value; a list holds strings'),
    description: text.describe('one sentence for a person'),
    default: jsonValue.optional().describe('the value while none is set'),
    example: jsonValue.optional().describe('a value for the help, where there is no default'),
    required: z.boolean().optional().describe('without a default, it must be set before the plugin can start'),
    min: z.number().optional().describe('the smallest number, or length of a string or list'),
    max: z.number().optional().describe('the largest number, or length of a string or list'),
    options: z.array(jsonValue).min(1).optional().describe('the only values allowed'),
    secret: z.boolean().optional().describe('marks a value that is encrypted where it is stored and masked where it is shown, such as a password'),
  })
  .superRefine((item, context) => {
    if (item.default === undefined && item.example === undefined) {
      context.addIssue({ code: 'custom', message: 'needs a default or an example' });
    }
    for (const field of ['default', 'example'] as const) {
      const value = item[field];
      const reason = value === undefined ? undefined : valueProblem(item, value);
      if (reason !== undefined) context.addIssue({ code: 'custom', path: [field], message: reason });
    }
  })
  .meta({ id: 'ConfigurationItem', description: 'What a plugin can be told under one key, or one parameter of a command.' });

export type ConfigurationItem = z.infer<typeof configurationItem>;

export const configurationKey = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/, 'must be a key: letters, digits, "_", "." and "-", 127 at most')
  .describe('the key');

/** All items of one plugin, by key. */
export const configurationItems = z.record(configurationKey, configurationItem).describe('the configuration items, by key');
export type ConfigurationItems = z.infer<typeof configurationItems>;

type Checked = Pick<ConfigurationItem, 'type' | 'min' | 'max' | 'options' | 'secret'>;

/** Why `value` does not fit `item`, or undefined if it does. The reason says nothing of a secret's value. */
export function valueProblem(item: Checked, value: JsonValue): string | undefined {
  const kind = kindOf(value, item.secret === true);
  switch (item.type) {
    case 'string':
      if (typeof value !== 'string') return `must be a string, not ${kind}`;
      break;
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return `must be a whole number, not ${kind}`;
      break;
    case 'number':
      if (typeof value !== 'number') return `must be a number, not ${kind}`;
      break;
    case 'boolean':
      if (typeof value !== 'boolean') return `must be true or false, not ${kind}`;
      break;
    case 'list':
      if (!Array.isArray(value)) return `must be a list of strings, not ${kind}`;
      for (const entry of value) if (typeof entry !== 'string') return `must be a list of strings, and one entry is ${kindOf(entry, item.secret === true)}`;
      break;
    case 'object':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return `must be an object, not ${kind}`;
      break;
    default:
      item.type satisfies never;
  }
  return rangeProblem(item, value);
}

function rangeProblem({ min, max, options, secret }: Checked, value: JsonValue): string | undefined {
  const size = typeof value === 'number' ? value : typeof value === 'string' || Array.isArray(value) ? value.length : undefined;
  const what = typeof value === 'number' ? '' : 'length ';
  const is = secret === true ? '' : `, not ${size}`;
  if (size !== undefined && min !== undefined && size < min) return `${what}must be at least ${min}${is}`;
  if (size !== undefined && max !== undefined && size > max) return `${what}must be at most ${max}${is}`;
  if (options !== undefined && !options.some((option) => JSON.stringify(option) === JSON.stringify(value))) {
    return `must be one of ${options.map((option) => JSON.stringify(option)).join(', ')}`;
  }
  return undefined;
}

function kindOf(value: JsonValue, isSecret: boolean): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a string';
  return isSecret ? `a ${typeof value}` : String(value);
}

/** Checks several values at once; every unknown key and every value that does not fit has its reason. */
export function configurationProblems(items: ConfigurationItems, values: Readonly<Record<string, JsonValue>>): FieldProblems {
  const known = Object.keys(items);
  const unknown = `is not known; ${known.length > 0 ? `known: ${known.join(', ')}` : 'nothing can be set'}`;
  const problems = Object.entries(values).flatMap(([key, value]) => {
    const item = Object.hasOwn(items, key) ? items[key] : undefined;
    const reason = item === undefined ? unknown : valueProblem(item, value);
    return reason === undefined ? [] : [[key, reason]];
  });
  // Not by assignment: a key may be called __proto__.
  return Object.fromEntries(problems);
}

/** The values with the defaults of what is not set. */
export function withDefaults(items: ConfigurationItems, values: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
  const all: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(items)) if (item.default !== undefined) all[key] = item.default;
  return { ...all, ...values };
}

/** The keys of required items that have neither a value nor a default. */
export function missingKeys(items: ConfigurationItems, values: Readonly<Record<string, JsonValue>>): string[] {
  return Object.entries(items)
    .filter(([key, item]) => item.required === true && item.default === undefined && !Object.hasOwn(values, key))
    .map(([key]) => key);
}
