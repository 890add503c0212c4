// The public face of the contracts. `contracts` lists every action for the reference page and the checks.
import * as dbmanager from './dbmanager.ts';
import * as house from './house.ts';
import * as manager from './manager.ts';
import * as packagemanager from './packagemanager.ts';
import * as plugin from './plugin.ts';

export * from './codes.ts';
export * from './configuration.ts';
export * from './contract.ts';
export * from './dbmanager.ts';
export * from './failure.ts';
export * from './house.ts';
export * from './manager.ts';
export * from './manifest.ts';
export * from './names.ts';
export * from './packagemanager.ts';
export * from './plugin.ts';
export * from './process-status.ts';

/** Every action of the house, by service. */
export const contracts = {
  dbmanager: [dbmanager.configGet, dbmanager.configSet, dbmanager.configDelete, dbmanager.configList, dbmanager.schemaSet, dbmanager.schemaGet],
  manager: [manager.pluginStart, manager.pluginStop, manager.pluginRestart, manager.pluginList, manager.pluginStatusGet, manager.pluginLog],
  packagemanager: [packagemanager.pluginInstall, packagemanager.pluginUninstall, packagemanager.packageList, packagemanager.packageDetail, packagemanager.jobGet],
  plugin: [plugin.helperList, plugin.helperHelp, plugin.helperDo, plugin.stopPlugin],
  house: [house.partList, house.partLog],
} as const;
