// dbmanager as the program that it is, started as its supervisor does: it is ready when it says so on descriptor 3.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readinessFd, readinessVariable, type ReadinessMessage } from '@majordomus/runtime';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface DbmanagerProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it has written to its log. */
  readonly log: () => string;
  /** As `kill -9` does; resolves when it is gone. Again is the same as once. */
  kill(): Promise<void>;
  /** Resolves with the exit code when it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
}

export interface DbmanagerOptions {
  readonly home: string;
  /** The endpoint of the broker. */
  readonly broker: string;
  /** A command that runs it, and becomes it: `strace -D …`. */
  readonly wrapper?: readonly string[];
  /** A module that is loaded before the program, in each of its threads. */
  readonly preload?: URL;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it, and waits until it is registered at the broker. */
export async function startDbmanager({ home, broker, wrapper = [], preload, env }: DbmanagerOptions): Promise<DbmanagerProcess> {
  const node = [process.execPath, ...(preload === undefined ? [] : ['--import', preload.href]), program, '--home', home, '--broker', broker];
  const [command = '', ...args] = [...wrapper, ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, [readinessVariable]: String(readinessFd), ...env } });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (log += bytes.toString()));
  // Whoever ends the tests in the middle of one leaves nothing behind.
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', killNow);
    return code as number | null;
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const pipe = child.stdio[readinessFd];
  if (!(pipe instanceof Readable)) throw new TypeError('the pipe is missing');
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: pipe }).on('line', (line) => {
      if ((JSON.parse(line) as ReadinessMessage).state === 'ready') resolve();
    });
  });
  const failed = ended.then((code): never => {
    throw new TypeError(`dbmanager ended with ${code} before it was ready: ${log}`);
  });
  failed.catch(() => {});
  try {
    await Promise.race([ready, failed]);
  } catch (error) {
    await kill();
    throw error;
  }
  return { pid: child.pid ?? 0, log: () => log, kill, ended, [Symbol.asyncDispose]: kill };
}
