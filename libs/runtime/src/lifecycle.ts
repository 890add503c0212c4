// From `node main.ts` to the end of a process: settings, log, readiness, signals. Each part's main.ts is one call of
// runPart; its service.ts knows nothing of processes, so that it can also be started from code.
import { exitSuperseded, SupersededError } from './epoch.ts';
import { reasonOf } from './error-reason.ts';
import { createLog, type Log } from './log.ts';
import { openReadiness } from './readiness.ts';
import { exitCannotStart, StartError, startErrorLine } from './start-error.ts';

/** Set by a supervisor for what it starts; a process that has it ends when its standard input closes. */
export const runMarkerVariable = 'DOMUS_RUN';

/** How long an orderly stop may take before the process ends all the same. */
const stopLimitMs = 4000;

/** What a part is given beside its settings. */
export interface PartContext {
  /** Fires when the part is to stop; `start` returns when it has. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** To be called when the part answers; with facts that its supervisor needs. */
  readonly ready: (facts?: Readonly<Record<string, string>>) => void;
  readonly notReady: (reason: string) => void;
}

export interface Part<Settings extends { readonly logLevel: string }> {
  readonly name: string;
  /** @throws StartError for a wrong setting */
  readonly readSettings: (args: readonly string[], env: NodeJS.ProcessEnv) => Settings;
  /** Runs until the signal fires. @throws StartError if it cannot start as it was told; SupersededError if a newer instance runs */
  readonly start: (settings: Settings, context: PartContext) => Promise<void>;
}

/** Runs a part as this process, and ends the process with it. */
export async function runPart<Settings extends { readonly logLevel: string }>(part: Part<Settings>): Promise<never> {
  const stopping = new AbortController();
  let log: Log | undefined;
  try {
    const settings = part.readSettings(process.argv.slice(2), process.env);
    log = createLog(part.name, settings.logLevel);
    using readiness = openReadiness();
    watchForStop(stopping, log);
    await part.start(settings, {
      signal: stopping.signal,
      log,
      ready: (facts) => readiness.ready(facts),
      notReady: (reason) => readiness.notReady(reason),
    });
    process.exit(0);
  } catch (error) {
    if (error instanceof StartError) {
      process.stderr.write(`${startErrorLine(part.name, error)}\n`);
      process.exit(exitCannotStart);
    }
    if (error instanceof SupersededError) {
      log?.error(error.message);
      process.exit(exitSuperseded);
    }
    if (log === undefined) process.stderr.write(`${part.name}: ${reasonOf(error)}\n`);
    else log.fatal({ err: error }, 'ended by an unexpected error');
    process.exit(1);
  }
}

function watchForStop(stopping: AbortController, log: Log): void {
  const stop = (why: string): void => {
    if (stopping.signal.aborted) {
      log.warn(`ending at once (${why})`);
      process.exit(1);
    }
    log.info(`stopping (${why})`);
    stopping.abort();
    setTimeout(() => {
      log.error(`the stop took longer than ${stopLimitMs} ms`);
      process.exit(1);
    }, stopLimitMs).unref();
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => stop('SIGHUP'));
  if (process.env[runMarkerVariable] !== undefined) {
    // The supervisor holds the other end: it closes when the supervisor is gone, however it ended.
    const orphaned = (): void => {
      if (!stopping.signal.aborted) stop('the supervisor is gone');
    };
    process.stdin.on('end', orphaned).on('close', orphaned).on('error', orphaned).resume();
    process.stdin.unref?.();
  }
}
