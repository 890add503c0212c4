// Whether a plugin can start with what is configured, and if not, the command that a person is to type.
// Pure: it reads nothing and changes nothing.
import { type ConfigurationItem, configurationProblems, type JsonValue, type Manifest, missingKeys, withDefaults } from '@majordomus/contracts';
import type { Values } from './define-plugin.ts';

export type CheckedConfiguration =
  | { readonly fits: true; readonly configuration: Values; readonly ignored: readonly string[] }
  | { readonly fits: false; readonly reason: string };

/**
 * Checks what is set against the manifest. A key that the manifest does not know is ignored, not refused: it may be
 * left from an older version of the plugin, which must not keep the new one from starting.
 */
export function checkConfiguration({ name, configuration: items }: Manifest, set: Values): CheckedConfiguration {
  const known = Object.fromEntries(Object.entries(set).filter(([key]) => Object.hasOwn(items, key)));
  const wrong = Object.entries(configurationProblems(items, known));
  const missing = missingKeys(items, known).map((key) => [key, 'is not set'] as const);
  if (wrong.length === 0 && missing.length === 0) {
    const ignored = Object.keys(set).filter((key) => !Object.hasOwn(items, key));
    return { fits: true, configuration: withDefaults(items, known), ignored };
  }
  const reasons = [...missing, ...wrong].map(([key, reason]) => `${key} ${reason}; set it: ${setCommand(name, key, items[key])}`);
  return { fits: false, reason: `waits for its configuration: ${reasons.join('; ')}` };
}

/** What a person types to set the key to a value that fits. */
function setCommand(plugin: string, key: string, item: ConfigurationItem | undefined): string {
  return `domus config set ${plugin} ${key} ${shellWord(item?.example ?? item?.default ?? 'VALUE')}`;
}

/** The value as one word of a command line. */
function shellWord(value: JsonValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
