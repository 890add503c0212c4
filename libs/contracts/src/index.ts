// The public face of the contracts. `contracts` lists every action for the reference page and the checks.
import { configDelete, configGet, configHistory, configList, configRevert, configSet, databaseCheck, schemaGet, schemaSet } from './dbmanager.ts';
import { partList, partLog } from './house.ts';
import { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop } from './manager.ts';
import { jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginRollback, pluginUninstall, pluginUpgrade } from './packagemanager.ts';
import { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';
import { backupMake, noticeAcknowledge, noticeList } from './storage.ts';

export { busCodes, type BusCode } from './codes.ts';
export {
  configurationProblems, jsonValue, missingKeys, valueProblem, withDefaults,
  type ConfigurationItem, type ConfigurationItems, type JsonValue,
} from './configuration.ts';
export { contract, replyAction, type CodeOf, type Contract, type InputOf, type JsonObject, type OutputOf, type RequestOf, type ResultOf } from './contract.ts';
export {
  configDelete, configGet, configHistory, configList, configRevert, configSet, databaseCheck, dbmanagerServices, maskedSecret, schemaGet, schemaSet,
} from './dbmanager.ts';
export { ActionFailure, refuse } from './failure.ts';
export { fieldProblems, problemsText, type FieldProblems } from './field-problems.ts';
export { partList, partLog, type PartStatus } from './house.ts';
export { pluginList, pluginLog, pluginRestart, pluginStart, pluginStatusGet, pluginStop, type PluginStatus } from './manager.ts';
export { manifest, type Manifest, type ManifestSource, type PluginCommand } from './manifest.ts';
export { componentName, hostService, parsePluginId, pluginName } from './names.ts';
export {
  installSteps, job, jobGet, packageDetail, packageList, packageUpload, pluginInstall, pluginRollback, pluginUninstall, pluginUpgrade, uploadChunkBytes,
  type InstalledPackage, type Job,
} from './packagemanager.ts';
export { autostartPrefix, isMemoryLimit, memoryLimitPrefix, memoryLimitRule, partProblems } from './part-configuration.ts';
export { helperDo, helperHelp, helperList, stopPlugin } from './plugin.ts';
export type { ProcessState, ProcessStatus } from './process-status.ts';
export { backupMake, noticeAcknowledge, noticeList } from './storage.ts';

/** Every action of the house, by service. */
export const contracts = {
  dbmanager: [configGet, configSet, configDelete, configList, configHistory, configRevert, schemaSet, schemaGet, databaseCheck, backupMake, noticeList, noticeAcknowledge],
  manager: [pluginStart, pluginStop, pluginRestart, pluginList, pluginStatusGet, pluginLog],
  packagemanager: [pluginInstall, pluginUpgrade, pluginRollback, pluginUninstall, packageList, packageDetail, packageUpload, jobGet],
  plugin: [helperList, helperHelp, helperDo, stopPlugin],
  house: [partList, partLog],
} as const;
