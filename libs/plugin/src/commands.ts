// The commands of a plugin as a caller sees them: which there are, what they take, and a call of one. Every refusal is
// an ActionFailure with a code of the contract, whatever was asked and whatever the author's function did.
import { inspect } from 'node:util';
import {
  ActionFailure, configurationProblems, jsonValue, missingKeys, problemsText, withDefaults, type FieldProblems, type JsonValue, type PluginCommand,
} from '@majordomus/contracts';
import { didYouMean, type Log } from '@majordomus/runtime';
import type { Plugin, Values } from './define-plugin.ts';

/** @throws ActionFailure COMMAND_UNKNOWN */
export function findCommand({ manifest }: Plugin, name: string): PluginCommand {
  const command = Object.hasOwn(manifest.commands, name) ? manifest.commands[name] : undefined;
  if (command !== undefined) return command;
  const commands = Object.keys(manifest.commands);
  const meant = didYouMean(name, commands);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const known = commands.length === 0 ? 'it has none' : `it has ${commands.join(', ')}`;
  throw new ActionFailure('COMMAND_UNKNOWN', `${manifest.name} has no command ${JSON.stringify(name.slice(0, 64))}${hint} (${known})`, { commands });
}

/**
 * The parameters with the defaults of what was left out.
 * @throws ActionFailure PARAMETERS_INVALID, with `fields`
 */
export function checkParameters({ parameters: items }: PluginCommand, given: Values): Values {
  const missing = missingKeys(items, given).map((key) => [key, 'is required']);
  const fields: FieldProblems = { ...Object.fromEntries(missing), ...configurationProblems(items, given) };
  if (Object.keys(fields).length > 0) throw new ActionFailure('PARAMETERS_INVALID', problemsText(fields), { fields });
  return withDefaults(items, given);
}

/**
 * Runs the function of a command.
 * @throws ActionFailure its own, or COMMAND_FAILED
 */
export async function runCommand(
  plugin: Plugin,
  name: string,
  call: { readonly parameters: Values; readonly configuration: Values; readonly log: Log; readonly signal: AbortSignal },
): Promise<JsonValue> {
  try {
    const result = jsonValue.safeParse(await plugin.helpers.get(name)?.(call));
    if (result.success) return result.data;
    throw new ActionFailure('COMMAND_FAILED', `${name} answered with something that is not JSON`);
  } catch (cause) {
    if (cause instanceof ActionFailure) throw cause;
    call.log.error({ err: cause, command: name }, 'the command failed');
    throw new ActionFailure('COMMAND_FAILED', messageOf(cause), {}, { cause });
  }
}

/** What was thrown, in words; authors throw anything. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : inspect(thrown);
}
