// A part of the house as the program that it is: ready when it says so on descriptor 3.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readinessFd, readinessVariable, type ReadinessMessage } from '@majordomus/runtime';

export interface RunningPart extends AsyncDisposable {
  readonly pid: number;
  /** What it said with its readiness, such as the endpoint that it bound. */
  readonly facts: Readonly<Record<string, string>>;
}

class PartFailure extends Error {
  override readonly name = 'PartFailure';
  readonly code = 'PART_FAILED';
}

/**
 * Starts `apps/<name>`, and waits until it is ready.
 * @param wrapper a command that runs it and becomes it
 * @throws PartFailure if it ends before
 */
export async function startPart(name: 'broker' | 'dbmanager', args: readonly string[], wrapper: readonly string[] = []): Promise<RunningPart> {
  const program = fileURLToPath(new URL(`../../apps/${name}/src/main.ts`, import.meta.url));
  const [command = '', ...rest] = [...wrapper, process.execPath, program, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], env: { ...process.env, [readinessVariable]: String(readinessFd) } });
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'close').finally(() => process.off('exit', killNow));
  const pipe = child.stdio[readinessFd];
  const ready = new Promise<ReadinessMessage & { state: 'ready' }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new PartFailure(`${name} ended with ${code} before it was ready`)));
    if (!(pipe instanceof Readable)) return;
    createInterface({ input: pipe }).on('line', (line) => {
      const message = JSON.parse(line) as ReadinessMessage;
      if (message.state === 'ready') resolve(message);
    });
  });
  const { facts = {} } = await ready;
  return {
    pid: child.pid ?? 0,
    facts,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
