// A plugin as its author writes it: the manifest, what starts and stops it, and one function for each command.
// It is checked once, here; nothing is started.
import { fieldProblems, manifest as manifestSchema, problemsText, type ConfigurationItems, type FieldProblems, type JsonValue, type Manifest } from '@majordomus/contracts';
import type { Log } from '@majordomus/runtime';
import type { PluginClock } from './clock.ts';
import type { CommandOf, ConfigurationOf, ManifestShape, ParametersOf } from './manifest-types.ts';

/** What `start` is given. */
export interface StartCall<Configuration> {
  /** As it was when the plugin started. */
  readonly configuration: Configuration;
  /**
   * Asks for the configuration of now, checked and with the defaults, for what goes on after `start`. What is known last is given
   * where it cannot be read within half a second, or does not fit. Never rejects.
   */
  readonly readConfiguration: () => Promise<Configuration>;
  /** Says that the plugin works; it is ready unless work of `every` fails. Not needed when that is so as soon as `start` has ended. */
  readonly ready: () => void;
  /** Says what the plugin waits for, such as a device that does not answer; at any time, until `ready` is said again. */
  readonly notReady: (reason: string) => void;
  /**
   * Does something now and then at each interval until the plugin stops, such as a measurement. It is never done twice at once. When
   * it throws, the plugin is not ready, for that reason, until it succeeds again.
   * @throws ActionFailure INTERVAL_INVALID
   */
  readonly every: (intervalMs: number, work: () => unknown) => void;
  /** The time, which a test can turn. */
  readonly clock: PluginClock;
  readonly log: Log;
  /** Fires when the plugin is to stop. */
  readonly signal: AbortSignal;
}

/** What the function of a command is given. */
export interface HelperCall<Parameters, Configuration> {
  /** Checked, with the defaults of what the caller left out. */
  readonly parameters: Parameters;
  readonly configuration: Configuration;
  /** The time, which a test can turn. */
  readonly clock: PluginClock;
  readonly log: Log;
  /** Fires when the plugin is to stop, and when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/** What a command may answer: JSON, read-only or not. Give it a `type`, not an `interface`. */
export type JsonResult = string | number | boolean | null | readonly JsonResult[] | { readonly [key: string]: JsonResult };

/** One function for each command of the manifest. */
export type Helpers<M extends ManifestShape> = [CommandOf<M>] extends [never]
  ? { readonly [command: string]: never }
  : { readonly [C in CommandOf<M>]: (call: HelperCall<ParametersOf<M, C>, ConfigurationOf<M>>) => JsonResult | void | Promise<JsonResult | void> };

export interface PluginDefinition<M extends ManifestShape> {
  /**
   * Called once the configuration is there and fits. The plugin is ready when it has ended, unless it said `notReady`.
   * Commands may be called while it runs. What it throws ends the process, and the manager starts it again.
   */
  readonly start?: (call: StartCall<ConfigurationOf<M>>) => void | Promise<void>;
  /** Called after the signal has fired and the commands under way have ended; it has 1.5 s. */
  readonly stop?: () => void | Promise<void>;
  /**
   * They may throw: the caller is answered `COMMAND_FAILED` with the message, or the code of an `ActionFailure`,
   * and the plugin goes on.
   */
  readonly helpers: Helpers<M>;
}

export type Values = Readonly<Record<string, JsonValue>>;
export type Helper = (call: HelperCall<Values, Values>) => JsonResult | void | Promise<JsonResult | void>;

/** A plugin that `runPlugin` and `testPlugin` can start. */
export interface Plugin {
  readonly manifest: Manifest;
  readonly start: ((call: StartCall<Values>) => void | Promise<void>) | undefined;
  readonly stop: (() => void | Promise<void>) | undefined;
  readonly helpers: ReadonlyMap<string, Helper>;
}

/** The plugin's own fault: its plugin.json is wrong, or its helpers are not those of its commands. `fields` says where. */
export class PluginDefinitionError extends Error {
  override readonly name = 'PluginDefinitionError';
  readonly code: 'MANIFEST_INVALID' | 'HELPERS_MISMATCH';
  readonly fields: FieldProblems;

  constructor(code: PluginDefinitionError['code'], plugin: string, fields: FieldProblems) {
    super(`the plugin ${JSON.stringify(plugin)} is not well defined (${code}): ${problemsText(fields)}`);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Defines a plugin. Its configuration and the parameters of its commands are typed by the manifest:
 *
 *     import manifest from '../plugin.json' with { type: 'json' };
 *     export const plugin = definePlugin(manifest, {
 *       helpers: { hello: ({ parameters, configuration }) => `${configuration.greeting}, ${parameters.name}` },
 *     });
 *
 * @throws PluginDefinitionError MANIFEST_INVALID, HELPERS_MISMATCH
 */
export function definePlugin<M extends ManifestShape>(manifest: M, { start, stop, helpers }: PluginDefinition<M>): Plugin {
  const checked = checkedManifest(manifest);
  const functions = new Map(Object.entries(helpers));
  const problems = helperProblems(Object.keys(checked.commands), functions);
  if (Object.keys(problems).length > 0) throw new PluginDefinitionError('HELPERS_MISMATCH', checked.name, problems);
  // The types of the author's functions come from the manifest that every value is checked against before a call.
  return { manifest: checked, start: start as Plugin['start'], stop, helpers: functions };
}

function checkedManifest(source: ManifestShape): Manifest {
  const result = manifestSchema.safeParse(source);
  if (!result.success) throw new PluginDefinitionError('MANIFEST_INVALID', source.name, fieldProblems(result.error.issues, 'plugin.json'));
  const { configuration, commands, name } = result.data;
  const fields = { ...wordProblems('configuration', configuration) };
  for (const [command, { parameters }] of Object.entries(commands)) Object.assign(fields, wordProblems(`commands.${command}.parameters`, parameters));
  if (Object.keys(fields).length > 0) throw new PluginDefinitionError('MANIFEST_INVALID', name, fields);
  return result.data;
}

/** `"required": false` would be typed as required. */
function wordProblems(where: string, items: ConfigurationItems): FieldProblems {
  const optional = Object.entries(items).filter(([, { required }]) => required === false);
  return Object.fromEntries(optional.map(([key]) => [`${where}.${key}.required`, 'leave it out instead of false: the type of the value depends on the word']));
}

function helperProblems(commands: readonly string[], functions: ReadonlyMap<string, unknown>): FieldProblems {
  const missing = commands.filter((command) => typeof functions.get(command) !== 'function');
  const extra = [...functions.keys()].filter((name) => !commands.includes(name));
  return Object.fromEntries([
    ...missing.map((command) => [command, 'is a command of plugin.json, but no function of helpers']),
    ...extra.map((name) => [name, 'is a function of helpers, but no command of plugin.json']),
  ]);
}
