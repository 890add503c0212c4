// The public face of the runtime: what every process of the house needs.
export { orAborted, untilAborted } from './abort.ts';
export { systemClock, type Clock } from './clock.ts';
export { didYouMean } from './did-you-mean.ts';
export { epochFrom, epochVariable, exitSuperseded, readEpoch, SupersededError } from './epoch.ts';
export { isSystemError, reasonOf, systemReason } from './error-reason.ts';
export { ensureFolder, homePaths } from './home.ts';
export { checkHomeFree, lockHolder, lockHome } from './home-lock.ts';
export { runMarkerVariable, runPart, type PartContext } from './lifecycle.ts';
export { createLog, silentLog, type Log } from './log.ts';
export { logText } from './log-text.ts';
export { readinessFd, readinessVariable, type ReadinessMessage } from './readiness.ts';
export {
  bindSetting, commonSettings, isGiven, joinSetting, parseFlags, primarySetting, readSettings,
  type CommonSettings, type Setting, type SettingDefinitions, type SettingsOf, type SettingSources,
} from './settings.ts';
export { escapeControls, shownSource } from './shown-text.ts';
export { exitCannotStart, StartError, startErrorOf, type StartErrorCode } from './start-error.ts';
export { syncPath, syncPathAside } from './synced.ts';
export { Turns } from './turns.ts';
export { majordomusVersion } from './version.ts';
