// The public face of the contracts. `contracts` lists every action for the reference page and the checks.
import { configDelete, configGet, configList, configSet, databaseCheck, schemaGet, schemaSet } from './dbmanager.ts';
import { partList, partLog } from './house.ts';
import { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop } from './manager.ts';
import { jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginUninstall, pluginUpgrade } from './packagemanager.ts';
import { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';

export { busCodes, type BusCode } from './codes.ts';
export {
  configurationProblems, jsonValue, missingKeys, withDefaults,
  type ConfigurationItem, type ConfigurationItems, type JsonValue,
} from './configuration.ts';
export { contract, replyAction, type CodeOf, type Contract, type InputOf, type JsonObject, type OutputOf, type RequestOf, type ResultOf } from './contract.ts';
export { configDelete, configGet, configList, configSet, databaseCheck, dbmanagerServices, schemaGet, schemaSet } from './dbmanager.ts';
export { ActionFailure, refuse } from './failure.ts';
export { fieldProblems, problemsText, type FieldProblems } from './field-problems.ts';
export { partList, partLog, type PartStatus } from './house.ts';
export { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop, type PluginStatus } from './manager.ts';
export { manifest, type Manifest, type ManifestSource, type PluginCommand } from './manifest.ts';
export { componentName, hostService, parsePluginId, pluginName } from './names.ts';
export {
  installSteps, job, jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginUninstall, pluginUpgrade, uploadChunkBytes,
  type InstalledPackage, type Job,
} from './packagemanager.ts';
export { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';
export type { ProcessState, ProcessStatus } from './process-status.ts';

/** Every action of the house, by service. */
export const contracts = {
  dbmanager: [configGet, configSet, configDelete, configList, schemaSet, schemaGet, databaseCheck],
  manager: [pluginStart, pluginStop, pluginRestart, pluginList, pluginStatusGet, pluginLog],
  packagemanager: [pluginInstall, pluginUpgrade, pluginUninstall, packageList, packageDetail, packageUpload, jobGet],
  plugin: [helperList, helperHelp, helperDo, stopPlugin],
  house: [partList, partLog],
} as const;
