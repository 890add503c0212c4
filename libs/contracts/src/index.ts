// The public face of the contracts. `contracts` lists every action for the reference page and the checks.
import { configDelete, configGet, configList, configSet, schemaGet, schemaSet } from './dbmanager.ts';
import { partList, partLog } from './house.ts';
import { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop } from './manager.ts';
import { jobGet, packageDetail, packageList, pluginInstall, pluginUninstall } from './packagemanager.ts';
import { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';

export { busCodes, type BusCode } from './codes.ts';
export {
  configurationProblems, jsonValue, missingKeys, withDefaults,
  type ConfigurationItem, type ConfigurationItems, type JsonValue,
} from './configuration.ts';
export { contract, type CodeOf, type Contract, type InputOf, type JsonObject, type OutputOf, type RequestOf, type ResultOf } from './contract.ts';
export { configDelete, configGet, configList, configSet, dbmanagerServices, schemaGet, schemaSet } from './dbmanager.ts';
export { ActionFailure, refuse } from './failure.ts';
export { fieldProblems, problemsText, type FieldProblems } from './field-problems.ts';
export { partList, partLog, type PartStatus } from './house.ts';
export { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop, type PluginStatus } from './manager.ts';
export { manifest, type Manifest, type ManifestSource, type PluginCommand } from './manifest.ts';
export { componentName, hostService, parsePluginId, pluginName } from './names.ts';
export {
  installSteps, job, jobGet, packageDetail, packageList, pluginInstall, pluginUninstall,
  type InstalledPackage, type Job,
} from './packagemanager.ts';
export { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';
export type { ProcessState, ProcessStatus } from './process-status.ts';

/** Every action of the house, by service. */
export const contracts = {
  dbmanager: [configGet, configSet, configDelete, configList, schemaSet, schemaGet],
  manager: [pluginStart, pluginStop, pluginRestart, pluginList, pluginStatusGet, pluginLog],
  packagemanager: [pluginInstall, pluginUninstall, packageList, packageDetail, jobGet],
  plugin: [helperList, helperHelp, helperDo, stopPlugin],
  house: [partList, partLog],
} as const;
