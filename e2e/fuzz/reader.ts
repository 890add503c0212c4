// A process that reads what it is told to, line by line, and says of each what became of it: a part of the product that has no face
// on the bus of its own.
import { startProgram, type Started } from '../src/domus.ts';
import { isRunning } from '../src/processes.ts';
import { refusalProblem } from './judges.ts';
import { measure, settling, type Memory } from './memory.ts';
import type { Site } from './site.ts';
import { Finding } from './target.ts';

export interface Read {
  readonly ok: boolean;
  readonly code?: string;
  readonly reason?: string;
}

/** Also an archive that is a bomb is refused within this. */
const answerLimitMs = 60_000;

export class Reader implements AsyncDisposable {
  readonly #site: Site;
  readonly #program: Started;
  readonly #lines: AsyncIterator<string>;

  constructor(site: Site, program: string) {
    this.#site = site;
    this.#program = startProgram(process.execPath, [program], { env: settling(site.settles) });
    if (this.#program.child.stdout === null) throw new TypeError('the reader has no output');
    this.#lines = linesOf(this.#program.child.stdout);
  }

  /** What becomes of each line, in their order. @throws Finding if the process ends, or does not answer */
  async read(lines: readonly string[]): Promise<Read[]> {
    this.#program.child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
    const all: Read[] = [];
    for (const line of lines) {
      const limit = setTimeout(() => this.#program.child.kill('SIGKILL'), answerLimitMs);
      const { value, done } = await this.#lines.next();
      clearTimeout(limit);
      if (done === true || !isRunning(this.#program.pid)) throw new Finding(`the process ended, or did not answer within ${answerLimitMs} ms, at ${line}: ${this.#program.stderr()}`);
      all.push(JSON.parse(value) as Read);
    }
    return all;
  }

  async memory(name: string): Promise<readonly Memory[]> {
    return await measure({ [name]: this.#program.pid }, this.#site.settles);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.child.kill('SIGKILL');
    await this.#program.ended;
  }
}

/** By line feeds alone: what a stranger wrote may have other ends of lines in it. */
async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** @throws Finding for a refusal without a code, or without words for a person */
export function judgeRead(read: Read, known: ReadonlySet<string>, what: () => string): void {
  const problem = read.ok ? undefined : refusalProblem(read, known);
  if (problem !== undefined) throw new Finding(`it is refused so that ${problem}\n  ${what()}`);
}
