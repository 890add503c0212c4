// Runs a chapter of the documentation as a reader does, from its first line to its last, in a checkout and a house of its
// own. CONTRIBUTING.md, "Examples of the documentation", says how an example is written.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../waiting.ts';
import { ChapterError } from './chapter-error.ts';
import { Checkout, type Terminal } from './checkout.ts';
import { examplesOf, type Command, type Example } from './examples.ts';
import { matchOutput, withNumbers } from './output.ts';

/** A command that starts a house in the checkout; a chapter that begins with one has no other. */
const startsHouse = /^(npx -y pnpm start|\.\/domus up)\b(?!.*--(home|join))/;
/** A command that runs until somebody ends it: here the end of the chapter. */
const goesOn = /^(npx -y pnpm start|\.\/domus (up|run))\b|\s(-f|--follow|--watch)\b|&$/;
/** A question that a person asks again while the house is busy. */
const question = /^\.\/domus (status|services|logs?|plugin (list|status|log)|config (get|list|history))\b/;
const speaksOfHouse = /\bdomus\b|DOMUS_|@majordomus\/|:40410/;
const houseReady = /is ready after/;

const commandLimitMs = 60_000;
const againLimitMs = 30_000;
const lastWordsLimitMs = 1000;
const documentedEndpoint = '127.0.0.1:40410';
/** A port that a chapter chooses; here it is any free one, and what is printed says which. */
const listensAt = /(--listen tcp:\/\/127\.0\.0\.1:)\d+/;

export class Chapter {
  readonly #name: string;
  readonly #examples: readonly Example[];
  readonly #checkout: Checkout;
  readonly #hasHouse: boolean;
  readonly #numbers = new Map<string, string>();
  /** The files that the chapter wrote, by path, with the line of each. */
  readonly #files = new Map<string, number>();

  /**
   * Runs every example of a chapter, in a checkout of its own.
   * @param name its file, as messages say it
   * @throws ChapterError for the first example that is not as the chapter says
   */
  static async run(name: string, text: string): Promise<void> {
    if (examplesOf(name, text, isThere).every(({ kind }) => kind === 'not-run')) return;
    await using checkout = new Checkout();
    await Chapter.runIn(checkout, name, text);
  }

  static async runIn(checkout: Checkout, name: string, text: string): Promise<void> {
    const examples = examplesOf(name, text, isThere);
    assertFilesUsed(name, examples);
    await new Chapter(name, examples, checkout, speaksOfHouse.test(text)).#run();
  }

  private constructor(name: string, examples: readonly Example[], checkout: Checkout, hasHouse: boolean) {
    this.#name = name;
    this.#hasHouse = hasHouse;
    this.#examples = examples;
    this.#checkout = checkout;
  }

  async #run(): Promise<void> {
    try {
      if (this.#needsHouse()) await this.#startHouse();
      for (const example of this.#examples) await this.#example(example);
    } catch (error) {
      // A mistake of type is most often why an example does not run.
      await this.#assertTypes(error);
      throw error;
    }
    await this.#assertTypes();
  }

  async #example(example: Example): Promise<void> {
    switch (example.kind) {
      case 'file':
        if (example.path.endsWith('.json')) this.#assertJson(example.line, example.text);
        if (this.#files.has(example.path)) await this.#assertTypes();
        this.#write(example.path, example.text, example.line);
        break;
      case 'edit': await this.#edit(example); break;
      case 'json': this.#assertJson(example.line, example.text); break;
      case 'console':
        for (const command of example.commands) await this.#command(command);
        break;
      case 'program': {
        const path = `example-${example.line}.ts`;
        this.#write(path, example.text, example.line);
        await this.#mustSucceed(example.line, `exec node ${path}`, { DOMUS_BROKER: this.#checkout.endpoint ?? '' });
        break;
      }
      case 'script':
        await this.#mustSucceed(example.line, `set -e\n${example.text}`);
        break;
      case 'not-run': console.info(`${this.#name}:${example.line}: not run: ${example.reason}`); break;
      default: example satisfies never;
    }
  }

  /** A chapter that speaks of a house has one, unless its first command starts it. */
  #needsHouse(): boolean {
    const [first] = this.#examples.flatMap((example) => (example.kind === 'console' ? example.commands : []));
    return this.#hasHouse && (first === undefined || !startsHouse.test(first.text));
  }

  async #startHouse(): Promise<void> {
    const terminal = this.#checkout.start('exec ./domus up');
    await this.#until(1, './domus up', terminal, () => houseReady.test(terminal.printed()), ['…', '… is ready after …']);
  }

  async #command({ line, text, output }: Command): Promise<void> {
    const command = withNumbers(this.#here(text), this.#numbers);
    const isShown = (printed: string): boolean => {
      const numbers = matchOutput(output, printed);
      for (const [shown, actual] of numbers ?? []) this.#numbers.set(shown, actual);
      return numbers !== undefined;
    };
    if (goesOn.test(text)) {
      const terminal = this.#checkout.start(command.replace(/\s*&$/, '').replace(listensAt, '$1*'));
      if (output.length > 0) await this.#until(line, text, terminal, () => isShown(terminal.printed()), output);
      return;
    }
    const triedUntilMs = performance.now() + againLimitMs;
    for (;;) {
      const terminal = this.#checkout.start(command);
      const code = await this.#end(line, text, terminal);
      if (isShown(terminal.printed()) && (code === 0 || output.length > 0)) return;
      if (!question.test(text) || performance.now() > triedUntilMs) throw this.#wrong(line, text, `it ended with ${code}`, terminal.printed(), output);
    }
  }

  async #mustSucceed(line: number, command: string, env?: Readonly<Record<string, string>>): Promise<void> {
    const terminal = this.#checkout.start(command, env);
    const code = await this.#end(line, command, terminal);
    if (code !== 0) throw this.#wrong(line, command, `it ended with ${code}`, terminal.printed());
  }

  /** Waits for the end of a command, and gives its exit code. */
  async #end(line: number, text: string, { started: { child, ended }, printed }: Terminal): Promise<number | null> {
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) {
      await once(child, 'exit', { signal: AbortSignal.timeout(commandLimitMs) })
        .catch((error: unknown) => { throw this.#wrong(line, text, `it did not end within ${commandLimitMs} ms (${String(error)})`, printed()); });
    }
    // Its last words; what it left running in the background may keep its output open.
    await Promise.race([ended, delay(lastWordsLimitMs, undefined, { ref: false })]);
    return child.exitCode;
  }

  /** Waits for the output of a command that goes on. */
  async #until(line: number, text: string, terminal: Terminal, isShown: () => boolean, output: readonly string[]): Promise<void> {
    const { started: { child }, printed } = terminal;
    const endMs = performance.now() + commandLimitMs;
    await until(text, async () => {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded) await this.#end(line, text, terminal);
      if (isShown()) return true;
      if (hasEnded) throw this.#wrong(line, text, `it ended with ${child.exitCode ?? child.signalCode}`, printed(), output);
      if (performance.now() > endMs) throw this.#wrong(line, text, `it did not print this within ${commandLimitMs} ms`, printed(), output);
      return undefined;
    }, { limitMs: 2 * commandLimitMs });
  }

  #write(path: string, text: string, line: number): void {
    this.#checkout.write(path, this.#here(text));
    this.#files.set(path, line);
  }

  async #edit({ line, path, changes }: Extract<Example, { kind: 'edit' }>): Promise<void> {
    let text = this.#checkout.read(path);
    if (text === undefined) throw new ChapterError(this.#name, line, `there is no file ${path} to change`);
    for (const { before, after } of changes) {
      const times = text.split(before).length - 1;
      if (before === '' || times !== 1) throw new ChapterError(this.#name, line, `the lines that are to be changed stand ${times} times in ${path}; they must stand there once:\n${before}`);
      text = text.replace(before, () => after);
    }
    if (this.#files.has(path)) await this.#assertTypes();
    this.#write(path, text, line);
  }

  /** The documented address of a broker is here the one of the chapter's house. */
  #here(text: string): string {
    const { endpoint } = this.#checkout;
    return endpoint === undefined ? text : text.replaceAll(documentedEndpoint, endpoint.replace('tcp://', ''));
  }

  #assertJson(line: number, text: string): void {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new ChapterError(this.#name, line, `this is not JSON: ${String(error)}`, { cause: error });
    }
  }

  /** Type-checks every TypeScript file of the chapter, as it is now. */
  async #assertTypes(cause?: unknown): Promise<void> {
    const files = [...this.#files.keys()].filter((path) => path.endsWith('.ts'));
    if (files.length === 0) return;
    this.#checkout.write('tsconfig.chapter.json', JSON.stringify({ extends: './tsconfig.base.json', files }));
    const terminal = this.#checkout.start('exec tsc -p tsconfig.chapter.json --pretty false');
    if (await this.#end(1, 'tsc', terminal) === 0) return;
    const { path = '', line = '1' } = /^(?<path>[^\n(]+)\((?<line>\d+),/.exec(terminal.printed())?.groups ?? {};
    throw new ChapterError(this.#name, (this.#files.get(path) ?? 1) + Number(line) - 1, `the types do not fit:\n${terminal.printed()}`, { cause });
  }

  #wrong(line: number, text: string, problem: string, printed: string, shown: readonly string[] = []): ChapterError {
    const expected = shown.length > 0 ? `\nthe chapter shows:\n${shown.join('\n')}` : '';
    return new ChapterError(this.#name, line, `${problem}: ${text}\nit printed:\n${printed}${expected}\n${this.#checkout.logs()}`);
  }
}

/** A machine of the continuous integration has everything, or fails. */
function isThere(path: string): boolean {
  return process.env['CI'] === 'true' || existsSync(path);
}

/** A file that no command names and no other file imports is an example that was never run. */
function assertFilesUsed(chapter: string, examples: readonly Example[]): void {
  const commands = examples.flatMap((example) => (example.kind === 'console' ? example.commands.map(({ text }) => text) : example.kind === 'script' ? [example.text] : []));
  for (const example of examples) {
    if (example.kind !== 'file' || example.path.startsWith('.domus/')) continue;
    const name = basename(example.path);
    const isUsed = commands.some((text) => text.includes(name) || foldersOf(example.path).some((folder) => text.includes(folder)))
      || examples.some((other) => other !== example && textOf(other).includes(name));
    if (!isUsed) throw new ChapterError(chapter, example.line, `nothing in the chapter uses ${example.path}; an example that is never run may be wrong`);
  }
}

/** The folders that a file is in, without those that many things are in. */
function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return ['.', 'apps', 'libs', 'plugins'].includes(folder) ? [] : [folder, ...foldersOf(folder)];
}

function textOf(example: Example): string {
  return example.kind === 'edit' ? example.changes.map(({ after }) => after).join('') : 'text' in example ? example.text : '';
}
