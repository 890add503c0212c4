// One child process: its own group, its pipes, its end. It decides nothing; the process machine does.
import { spawn, type ChildProcess } from 'node:child_process';
import { readinessFd, readinessVariable, runMarkerVariable, type ReadinessMessage } from '@majordomus/runtime';
import { LineReader } from './lines.ts';
import type { ProcessEnd } from './process-input.ts';
import { deathSignalPrefix, findProgram, isFolder } from './program.ts';
import { parseReadiness, readinessLineLimit } from './readiness-line.ts';

/** The longest printed line that is kept, in characters. */
export const printedLineLimit = 16 * 1024;

/** How long the last words of an ended process are awaited: who left its group may hold the pipes open. */
const lastWordsLimitMs = 250;

export interface SpawnRequest {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment; the two variables of the supervisor are added. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly marker: string;
  /** Whether the kernel is to kill it with us, where it can. */
  readonly deathSignal: boolean;
}

/** What a child does, told in this order: spawned or failed; said and printed; ended, once, and nothing after it. */
export interface ChildListener {
  spawned(pid: number): void;
  /** It could not be spawned: `ENOENT: no program …`. */
  failed(reason: string): void;
  said(message: ReadinessMessage): void;
  /** A line on file descriptor 3 that is no message. */
  garbled(line: string): void;
  printed(lines: readonly string[]): void;
  ended(end: ProcessEnd): void;
}

export interface Child {
  /** SIGTERM to the process. */
  terminate(): void;
  /** SIGKILL to its group. */
  kill(): void;
}

/** Starts a process and tells the listener of it; never throws. */
export function spawnChild(request: SpawnRequest, listener: ChildListener): Child {
  const { command: [name = ''], cwd, env } = request;
  if (!isFolder(cwd)) return failed(listener, `ENOENT: there is no folder ${cwd} to run in`);
  const program = findProgram(name, cwd, env['PATH'] ?? '');
  if (program === undefined) return failed(listener, `ENOENT: there is no program ${JSON.stringify(name)} that can be run`);
  let child: ChildProcess;
  try {
    child = start(program, request);
  } catch (error) {
    return failed(listener, reasonOf(error));
  }
  child.on('error', (error) => {
    if (child.pid === undefined) listener.failed(reasonOf(error));
  });
  return child.pid === undefined ? noChild : follow(child, child.pid, listener);
}

const noChild: Child = { terminate() {}, kill() {} };

function failed(listener: ChildListener, reason: string): Child {
  listener.failed(reason);
  return noChild;
}

function start(program: string, { command, cwd, env, marker, deathSignal }: SpawnRequest): ChildProcess {
  const [file = program, ...args] = [...(deathSignal ? deathSignalPrefix() : []), program, ...command.slice(1)];
  return spawn(file, args, {
    cwd,
    env: { ...env, [readinessVariable]: String(readinessFd), [runMarkerVariable]: marker },
    // A process group of its own: Ctrl-C does not reach it, and it can be killed with all that it started.
    detached: true,
    // Standard input is held open and never written to: that it closes tells the child that we are gone.
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
}

function follow(child: ChildProcess, pid: number, listener: ChildListener): Child {
  let gone = false;
  child.stdin?.on('error', () => {});
  const ends = [child.stdout, child.stderr].map((stream) => readLines(stream, printedLineLimit, (lines) => listener.printed(lines)));
  ends.push(readLines(child.stdio[readinessFd], readinessLineLimit, (lines) => {
    for (const line of lines) {
      const message = parseReadiness(line);
      if (message === undefined) listener.garbled(line);
      else listener.said(message);
    }
  }));
  child.once('exit', (code, signal) => {
    gone = true;
    // What is left of the group: nothing outlives the process that started it.
    send(-pid, 'SIGKILL');
    let told = false;
    const finish = (): void => {
      if (told) return;
      told = true;
      clearTimeout(limit);
      for (const end of ends) end();
      listener.ended({ code, signal });
    };
    // Not before the pipes were read once more: we may be late ourselves.
    const limit = setTimeout(() => setImmediate(finish), lastWordsLimitMs);
    child.once('close', finish);
  });
  listener.spawned(pid);
  return {
    terminate: () => void (gone || send(pid, 'SIGTERM')),
    kill: () => void (gone || send(-pid, 'SIGKILL')),
  };
}

/** Reads lines from one of the pipes; what is returned ends the reading and hands over the last line. */
function readLines(stream: ChildProcess['stdio'][number], limit: number, onLines: (lines: readonly string[]) => void): () => void {
  if (stream === null || stream === undefined || !('read' in stream)) return () => {};
  const reader = new LineReader(limit);
  const hand = (lines: readonly string[]): void => {
    if (lines.length > 0) onLines(lines);
  };
  const read = (chunk: Buffer): void => hand(reader.push(chunk));
  stream.on('data', read).on('error', () => {});
  return () => {
    stream.off('data', read);
    stream.destroy();
    hand(reader.end());
  };
}

/** The process may be gone already: then there is nothing to do. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && !error.message.includes(String(error.code)) ? `${String(error.code)}: ${error.message}` : error.message;
}
