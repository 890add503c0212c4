// What the configuration holds for the parts of the house, under their own names. The keys name plugins, so that no list of items
// types them as a manifest does those of a plugin; what is set is checked all the same. Pure.
import type { JsonValue } from './configuration.ts';
import type { FieldProblems } from './field-problems.ts';
import { pluginName } from './names.ts';

/** Of the manager: whether a plugin starts with the house, as `autostart.<plugin>`. */
export const autostartPrefix = 'autostart.';
/** Of the manager: how much memory a plugin may hold, in MiB, as `memory-limit-mb.<plugin>`. */
export const memoryLimitPrefix = 'memory-limit-mb.';

/** Even a shell needs some. */
const leastMemoryMb = 16;

export const memoryLimitRule = `must be a whole number of MiB, ${leastMemoryMb} at least, or 0 for no limit`;

export function isMemoryLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value === 0 || Number(value) >= leastMemoryMb);
}

type Rule = (value: JsonValue) => string | undefined;
const trueOrFalse: Rule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

/** By part, what a value must be under each key, or under each prefix, which ends in a dot and is followed by the name of a plugin. */
const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  broker: {},
  dbmanager: {},
  packagemanager: {},
  house: { furnished: trueOrFalse, joined: trueOrFalse },
  manager: {
    [autostartPrefix]: trueOrFalse,
    [memoryLimitPrefix]: (value) => (isMemoryLimit(value) ? undefined : memoryLimitRule),
  },
};

/** What is wrong with values that a part of the house is told; nothing for a plugin, whose schema says it. */
export function partProblems(part: string, values: Readonly<Record<string, JsonValue>>): FieldProblems {
  const known = Object.hasOwn(rules, part) ? rules[part] : undefined;
  if (known === undefined) return {};
  const names = Object.keys(known).map((name) => (isPrefix(name) ? `${name}PLUGIN` : name));
  const elsewhere = `the settings of ${part} stand in majordomus.toml in the home, and hold from the next start on`;
  const unknown = names.length === 0 ? `is not kept here: ${elsewhere}` : `is not known; known: ${names.join(', ')}; ${elsewhere}`;
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => {
    const name = Object.keys(known).find((one) => (isPrefix(one) ? key.startsWith(one) && pluginName.safeParse(key.slice(one.length)).success : key === one));
    const reason = name === undefined ? unknown : known[name]?.(value);
    return reason === undefined ? [] : [[key, reason]];
  }));
}

function isPrefix(name: string): boolean {
  return name.endsWith('.');
}
