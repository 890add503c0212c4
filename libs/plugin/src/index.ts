// The plugin author's kit: all that a plugin imports.
export { ActionFailure, type ConfigurationItem, type ConfigurationItems, type JsonValue, type Manifest } from '@majordomus/contracts';
export { type Log, silentLog } from '@majordomus/runtime';
export type { PluginClock } from './clock.ts';
export { definePlugin, PluginDefinitionError, type HelperCall, type JsonResult, type Plugin, type PluginDefinition, type StartCall } from './define-plugin.ts';
export type { CommandOf, ConfigurationOf, ManifestShape, ParametersOf } from './manifest-types.ts';
export type { PluginState } from './plugin-instance.ts';
export { runPlugin } from './run-plugin.ts';
export type { TestClock } from './test-clock.ts';
export { testPlugin, type TestedPlugin, type TestPluginOptions } from './test-plugin.ts';
