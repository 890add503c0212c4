// A command in a real terminal, by script(1), which passes on what is written to its standard input: what is typed, key by key.
import { strict as assert } from 'node:assert';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { startProgram, type Ran, type RunOptions, type Started } from './domus.ts';
import { until } from './waiting.ts';

export const enter = '\r';
export const down = '\u001B[B';

export class Terminal {
  readonly #started: Started;
  /** How much of the output was looked at by `typedAfter`. */
  #seen = 0;

  /** @param command for the shell */
  constructor(command: string, { env = {}, ...options }: RunOptions = {}) {
    this.#started = startProgram('script', ['--quiet', '--return', '--command', `stty cols 120 rows 40; ${command}`, '/dev/null'], { ...options, env: { TERM: 'xterm-256color', ...env } });
  }

  /** What was printed, without what only a terminal obeys. */
  get text(): string {
    return this.#started.stdout().replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r\n', '\n');
  }

  /** Types when `text` has appeared since the last time. */
  async typedAfter(text: string, keys: string): Promise<void> {
    await until(`the terminal shows ${text}`, () => {
      const at = this.text.indexOf(text, this.#seen);
      if (at < 0) return undefined;
      this.#seen = at + text.length;
      return true;
    }, { describe: () => this.text });
    this.#started.child.stdin?.write(keys);
  }

  /** How the command ended, and all it printed as `text`. */
  async ended(): Promise<Ran & { readonly text: string }> {
    const ran = await this.#started.ended;
    return { ...ran, text: this.text };
  }
}

/** Whether tests that need these programs are left out: never where everything has to be tested. */
export function isWithout(...programs: readonly string[]): boolean {
  const missing = programs.filter((name) => !isOnPath(name));
  if (missing.length > 0 && process.env['CI'] === 'true') assert.fail(`${missing.join(', ')} is not installed (tools/system-programs.txt)`);
  if (missing.length > 0) console.warn(`left out, since there is no ${missing.join(' and no ')}`);
  return missing.length > 0;
}

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
