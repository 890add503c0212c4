// Starts test/part.ts as a supervisor would, with a pipe on descriptor 3, and listens to it.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { readinessFd, readinessVariable, runMarkerVariable, type ReadinessMessage } from '../src/index.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningPart extends Disposable {
  readonly child: ChildProcess;
  /** The next message on the pipe whose state is this one. */
  until<State extends ReadinessMessage['state']>(state: State): Promise<Extract<ReadinessMessage, { state: State }>>;
  readonly ended: Promise<Ended>;
}

/** Starts the part; `supervised` gives it a run marker, so that it ends with its standard input. */
export function startPart(args: readonly string[], options: { readonly supervised?: boolean; readonly env?: Record<string, string> } = {}): RunningPart {
  const script = new URL('part.ts', import.meta.url);
  const marker = options.supervised === true ? { [runMarkerVariable]: 'test' } : {};
  const child = spawn(process.execPath, [script.pathname, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], [readinessVariable]: String(readinessFd), ...marker, ...options.env },
  });
  const pipe = child.stdio[readinessFd];
  if (!(pipe instanceof Readable) || child.stdout === null || child.stderr === null) throw new TypeError('a pipe is missing');
  let lines: AsyncIterator<string> | undefined;
  const exit = new Promise<Pick<Ended, 'code' | 'signal'>>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  // A test may close the pipes itself.
  const output = [child.stdout, child.stderr].map((stream) => text(stream).catch(() => ''));
  return {
    child,
    async until<State extends ReadinessMessage['state']>(state: State) {
      // Only now, so that nobody reads the pipe before somebody asks.
      lines ??= createInterface({ input: pipe })[Symbol.asyncIterator]();
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new TypeError(`the part ended and never said ${state}`);
        const message = JSON.parse(value) as ReadinessMessage;
        if (message.state === state) return message as Extract<ReadinessMessage, { state: State }>;
      }
    },
    ended: Promise.all([exit, ...output]).then(([end, stdout = '', stderr = '']) => ({ ...end, stdout, stderr })),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}
