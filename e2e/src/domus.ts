// The command of the checkout as a process: the same script that a person types, in an environment without traces of
// whoever runs the tests.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const domusScript = fileURLToPath(new URL('../../domus', import.meta.url));

/** A command line of Majordomus, and what it needs in its environment. */
export interface Domus {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export const checkout: Domus = { program: domusScript, env: {} };

/** How a command ended, and what it said. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface StartOptions extends RunOptions {
  /** Whether it gets a process group of its own, as a shell gives to what runs in its foreground. */
  readonly group?: boolean;
  /** What it is called, if not as the program. */
  readonly argv0?: string;
}

/** A running command. */
export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Called with each new piece of output. */
  readonly onOutput: (listener: () => void) => void;
  readonly ended: Promise<Ran>;
}

const runLimitMs = 45_000;
const foreign = /^(CI$|DOMUS_|npm_|VITEST|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|NODE_ENV$|NODE_V8_COVERAGE$)/;

export function startProgram(program: string, args: readonly string[], { env = {}, cwd, group = false, argv0 }: StartOptions = {}): Started {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
  const child = spawn(program, args, { cwd, argv0, env: { ...inherited, ...env }, detached: group, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const listeners: (() => void)[] = [];
  const tell = (): void => listeners.forEach((listener) => listener());
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    tell();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    tell();
  });
  child.stdin.on('error', () => {});
  // Whoever ends the tests in the middle of one leaves nothing behind.
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('exit', killNow);
      resolve({ stdout, stderr, code, signal });
    });
  });
  return { child, pid: child.pid ?? 0, stdout: () => stdout, stderr: () => stderr, onOutput: (listener) => void listeners.push(listener), ended };
}

/** Runs `domus` to its end; one that does not end is killed, and shows the signal. */
export async function runDomus(args: readonly string[], options: RunOptions = {}, { program, env }: Domus = checkout): Promise<Ran> {
  const started = startProgram(program, args, { ...options, env: { ...env, ...options.env } });
  started.child.stdin?.end();
  const limit = setTimeout(() => started.child.kill('SIGKILL'), runLimitMs);
  try {
    return await started.ended;
  } finally {
    clearTimeout(limit);
  }
}
