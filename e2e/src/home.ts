// A home in a temporary folder: commands run on it, houses are started in it, and when it goes nothing of it may be left.
import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, runDomus, type Domus, type Ran, type RunOptions } from './domus.ts';
import { House, type UpOptions } from './house.ts';
import { killHard, processesWith, type Seen } from './processes.ts';
import { until } from './waiting.ts';

export class Home implements AsyncDisposable {
  /** A folder for the test alone; the home is in it, and what else the test writes. */
  readonly root: string;
  readonly folder: string;

  /** What starts houses on it and talks to them. */
  readonly domus: Domus;

  readonly #houses: House[] = [];

  /** `within` is where the folder is made, if not among the machine's temporary files. */
  constructor(domus: Domus = checkout, within: string = tmpdir()) {
    this.domus = domus;
    this.root = mkdtempSync(join(within, 'majordomus-e2e-'));
    this.folder = join(this.root, 'home');
  }

  /** Where a house on this home listens. */
  get endpoint(): string {
    return readFileSync(join(this.folder, 'run', 'broker'), 'utf8').trim();
  }

  /** A new empty folder beside the home. */
  newFolder(name: string): string {
    const folder = join(this.root, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Runs `domus` on this home to its end. */
  async run(...args: readonly string[]): Promise<Ran> {
    return await this.runWith({}, ...args);
  }

  async runWith(options: RunOptions, ...args: readonly string[]): Promise<Ran> {
    return await runDomus(['--home', this.folder, ...args], options, this.domus);
  }

  /** Runs `domus` for its standard output; fails with what it said if its exit code is not 0. */
  async tell(...args: readonly string[]): Promise<string> {
    const { stdout, stderr, code } = await this.run(...args);
    assert.equal(code, 0, `domus ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Starts a house on a free port, and waits for its line that says ready. */
  async up(options: UpOptions = {}): Promise<House> {
    const house = await House.start(this, options);
    this.#houses.push(house);
    return house;
  }

  /** The processes that carry this home. */
  leftovers(): readonly Seen[] {
    return processesWith(this.root);
  }

  /** Fails unless all processes of this home end within the bound. */
  async assertNothingLeft(limitMs: number): Promise<void> {
    await until('nothing of the house is left', () => (this.leftovers().length === 0 ? true : undefined), { limitMs, describe: () => this.leftovers() });
  }

  /** The last lines of all logs, for who looks for why a test failed. */
  logs(): string {
    return lastLogLines(this.folder);
  }

  /** Stops the houses that still run; then nothing may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const house of this.#houses) await house[Symbol.asyncDispose]();
    const left = this.leftovers();
    for (const { pid } of left) killHard(pid);
    if (left.length > 0) await this.assertNothingLeft(5000);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    assert.deepEqual(left, [], 'processes were left over');
  }
}

/** The last lines of all logs of a home. */
export function lastLogLines(home: string): string {
  const folder = join(home, 'logs');
  if (!existsSync(folder)) return '';
  return readdirSync(folder).map((file) => `${file}:\n${readFileSync(join(folder, file), 'utf8').split('\n').slice(-20).join('\n')}`).join('\n');
}
