// The commands of a plugin as a caller sees them: which there are, what they take, and a call of one. Every refusal is
// an ActionFailure with a code of the contract, whatever was asked and whatever the author's function did.
import {
  ActionFailure, configurationProblems, helperDo, jsonValue, missingKeys, problemsText, refuse, withDefaults,
  type FieldProblems, type helperHelp, type JsonValue, type PluginCommand,
} from '@majordomus/contracts';
import { didYouMean, reasonOf } from '@majordomus/runtime';
import type { HelperCall, Plugin, Values } from './define-plugin.ts';

/** The command that an action is about. @throws ActionFailure COMMAND_UNKNOWN */
export function findCommand(action: typeof helperDo | typeof helperHelp, { manifest }: Plugin, name: string): PluginCommand {
  const command = Object.hasOwn(manifest.commands, name) ? manifest.commands[name] : undefined;
  if (command !== undefined) return command;
  const commands = Object.keys(manifest.commands);
  const meant = didYouMean(name, commands);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const known = commands.length === 0 ? 'it has none' : `it has ${commands.join(', ')}`;
  throw refuse(action, 'COMMAND_UNKNOWN', `${manifest.name} has no command ${JSON.stringify(name.slice(0, 64))}${hint} (${known})`, { commands });
}

/**
 * The parameters with the defaults of what was left out.
 * @throws ActionFailure PARAMETERS_INVALID, with `fields`
 */
export function checkParameters({ parameters: items }: PluginCommand, given: Values): Values {
  const missing = missingKeys(items, given).map((key) => [key, 'is required']);
  const fields: FieldProblems = { ...Object.fromEntries(missing), ...configurationProblems(items, given) };
  if (Object.keys(fields).length > 0) throw refuse(helperDo, 'PARAMETERS_INVALID', problemsText(fields), { fields });
  return withDefaults(items, given);
}

/**
 * Runs the function of a command.
 * @throws ActionFailure its own, or COMMAND_FAILED; the signal's reason
 */
export async function runCommand(
  plugin: Plugin,
  name: string,
  call: HelperCall<Values, Values>,
): Promise<JsonValue> {
  try {
    const result = jsonValue.safeParse((await plugin.helpers.get(name)?.(call)) ?? null);
    if (result.success) return result.data;
    throw refuse(helperDo, 'COMMAND_FAILED', `${name} answered with something that is not JSON`);
  } catch (cause) {
    if (cause instanceof ActionFailure) throw cause;
    // It was told to end, and did.
    call.signal.throwIfAborted();
    call.log.error({ err: cause, command: name }, 'the command failed');
    throw refuse(helperDo, 'COMMAND_FAILED', reasonOf(cause), {}, { cause });
  }
}
