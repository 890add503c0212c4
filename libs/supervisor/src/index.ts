// The public face of the supervisor.
export { LogFile, logDefaults, type LogLines, type LogSettings } from './log-file.ts';
export type { ProcessEnd, ProcessFacts } from './process-input.ts';
export type { MachineSettings } from './process-machine.ts';
export type { ProcessMemory, ProcessSpec } from './process-spec.ts';
export { Supervisor, type StatusChange, type SupervisorOptions, type WaitOptions } from './supervisor.ts';
export { SupervisorError, type SupervisorErrorCode } from './supervisor-error.ts';
