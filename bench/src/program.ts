// The programs that are measured and those that measure, each a process: a running one is ready when it says so on descriptor 3,
// as every part of the house does; another runs to its end and leaves a result.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readinessFd, readinessVariable, type ReadinessMessage } from '@majordomus/runtime';
import { BenchFailure } from './failure.ts';

export type Environment = Readonly<Record<string, string>>;

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** What it said with its readiness, such as the endpoint that it bound. */
  readonly facts: Readonly<Record<string, string>>;
  /** Its standard error, where it was asked for. */
  readonly errors: Readable | null;
}

/** How long a program may take to be ready, and to end. */
const readyLimitMs = 70_000;
const stopLimitMs = 5000;

/** As behind `domus`, so that a program starts as fast and takes as much memory as in a house. */
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/node-compile', import.meta.url));

/** A program of this folder, or of an app, as Node runs it. */
export function nodeProgram(file: string, ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(file, import.meta.url)), ...args];
}

/**
 * Starts a program, and waits until it is ready.
 * @param errors where its standard error goes: to ours, or to `errors` of what is returned
 * @throws BenchFailure PROGRAM_FAILED if it ends before
 */
export async function startProgram(command: readonly string[], env: Environment = {}, errors: 'inherit' | 'pipe' = 'inherit'): Promise<RunningProgram> {
  const name = nameOf(command);
  const child = spawnGuarded(command, { ...env, [readinessVariable]: String(readinessFd) }, ['ignore', 'ignore', errors, 'pipe']);
  const ended = once(child, 'close');
  try {
    const pipe = child.stdio[readinessFd];
    const { facts = {} } = await ready(child, name, pipe instanceof Readable ? pipe : undefined);
    return { pid: child.pid ?? 0, facts, errors: child.stderr, [Symbol.asyncDispose]: () => stop(child, ended) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/**
 * Runs a program to its end and gives what it printed.
 * @throws BenchFailure PROGRAM_FAILED if it fails, or takes longer
 */
export async function programOutput(command: readonly string[], limitMs: number): Promise<string> {
  const child = spawnGuarded(command, {}, ['ignore', 'pipe', 'inherit']);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    const [output, [code, signal]] = await Promise.all([child.stdout === null ? '' : text(child.stdout), once(child, 'close') as Promise<[number | null, string | null]>]);
    if (code !== 0) throw new BenchFailure('PROGRAM_FAILED', `${nameOf(command)} ended with ${code ?? signal}; it had ${Math.round(limitMs / 1000)} s`);
    return output;
  } finally {
    clearTimeout(timer);
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** No process is left when this one ends, whyever. */
function spawnGuarded([command = '', ...args]: readonly string[], env: Environment, stdio: StdioOptions): ChildProcess {
  const child = spawn(command, args, { stdio, env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env } });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function ready(child: ChildProcess, name: string, pipe: Readable | undefined): Promise<ReadinessMessage & { state: 'ready' }> {
  return await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new BenchFailure('PROGRAM_FAILED', `${name} was not ready within ${readyLimitMs / 1000} s`)), readyLimitMs);
    child.once('error', (cause) => reject(new BenchFailure('PROGRAM_FAILED', `${name} cannot be started: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      clearTimeout(late);
      reject(new BenchFailure('PROGRAM_FAILED', `${name} ended with ${code ?? signal} before it was ready`));
    });
    if (pipe === undefined) return;
    createInterface({ input: pipe }).on('line', (line) => {
      const message = JSON.parse(line) as ReadinessMessage;
      if (message.state !== 'ready') return;
      clearTimeout(late);
      resolve(message);
    });
  });
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await ended;
  clearTimeout(late);
}

/** What runs, for a person: the script where it is one of Node. */
function nameOf(command: readonly string[]): string {
  const script = command.find((part) => part.endsWith('.ts'));
  return script === undefined ? basename(command[0] ?? '') : join(...script.split('/').slice(-3));
}
