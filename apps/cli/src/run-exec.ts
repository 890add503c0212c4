// `domus run FOLDER` of a plugin that Node does not run: its `exec`, in this terminal, with the environment that a manager
// would give it, and without a supervisor.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commonSettings, exitCannotStart, parseFlags, readinessVariable, readSettings, runMarkerVariable, StartError } from '@majordomus/runtime';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ends this process as the program ended. */
export function runExec(folder: string, [program = '', ...words]: readonly string[], args: readonly string[]): void {
  const own = join(folder, program);
  const child = spawn(existsSync(own) ? own : program, words, { cwd: folder, env: { ...process.env, ...houseOf(args) }, stdio: 'inherit' });
  for (const signal of stopSignals) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => end(`${program} cannot be run: ${error.message}; "exec" in ${join(folder, 'plugin.json')} names it`));
  child.once('exit', (code) => process.exit(code ?? 1));
}

/** Where the house is, in the variables of every plugin; those of a supervisor are not there. */
function houseOf(args: readonly string[]): Readonly<Record<string, string | undefined>> {
  try {
    const { home, broker, host, logLevel } = readSettings(commonSettings, { flags: parseFlags(commonSettings, args), env: process.env });
    return { DOMUS_HOME: home, DOMUS_BROKER: broker, DOMUS_HOST: host, DOMUS_LOG_LEVEL: logLevel, [readinessVariable]: undefined, [runMarkerVariable]: undefined };
  } catch (error) {
    if (error instanceof StartError) return end(error.message);
    throw error;
  }
}

function end(message: string): never {
  process.stderr.write(`domus: ${message}\n`);
  process.exit(exitCannotStart);
}
