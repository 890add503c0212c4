// A fresh checkout for one chapter: a copy of the sources with the installed dependencies of this one, in the home of a
// person called Ann, with a house of its own. What a chapter writes and changes there reaches nothing else.
import { strict as assert } from 'node:assert';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { startProgram, type Started } from '../domus.ts';
import { lastLogLines } from '../home.ts';
import { killHard, processesWith } from '../processes.ts';

/** A command that runs, with all that it has printed on both streams, as a terminal shows it. */
export interface Terminal {
  readonly started: Started;
  readonly printed: () => string;
}

const original = fileURLToPath(new URL('../../..', import.meta.url));
const leftOut = new Set(['node_modules', '.git', '.turbo', '.domus', 'dist']);
const stopLimitMs = 8000;
/** Where ./domus has Node keep what it compiles. */
const compiled = join('node_modules', '.cache', 'node-compile');

/** In place of an installation: a new package of the checkout gets what others have installed. */
const linkNewPackages = `
const { existsSync, globSync, mkdirSync, readFileSync, realpathSync, symlinkSync } = require("node:fs");
const { dirname } = require("node:path");
for (const file of globSync("{apps,libs,plugins}/*/package.json")) {
  for (const name of Object.keys(JSON.parse(readFileSync(file, "utf8")).dependencies ?? {})) {
    const link = dirname(file) + "/node_modules/" + name;
    if (existsSync(link)) continue;
    const installed = globSync("{.,apps/*,libs/*}/node_modules/" + name)[0];
    if (installed === undefined) throw new Error(file + " wants " + name + ", which no other package has");
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(installed), link);
  }
}`;

/** In place of `npx`, which would ask the network: runs the scripts of the checkout, and the programs that it brings. */
const npx = `#!/bin/sh
while [ "$1" = -y ] || [ "$1" = pnpm ]; do shift; done
name=$1
shift
if [ "$name" = install ]; then exec node -e '${linkNewPackages}'; fi
script=$(node -p 'require("./package.json").scripts[process.argv[1]] ?? ""' "$name")
exec sh -c "\${script:-$name} \\"\\$@\\"" "$name" "$@"
`;

export class Checkout implements AsyncDisposable {
  readonly #root = realpathSync(mkdtempSync(join(tmpdir(), 'majordomus-docs-')));
  readonly folder = join(this.#root, 'ann', 'majordomus');
  readonly #terminals: Terminal[] = [];

  constructor() {
    for (const entry of readdirSync(original).filter((name) => !leftOut.has(name))) {
      cpSync(join(original, entry), join(this.folder, entry), { recursive: true, verbatimSymlinks: true, filter: (path) => isSource(path) });
    }
    this.#linkDependencies();
    this.write('../../bin/npx', npx);
    chmodSync(join(this.#root, 'bin', 'npx'), 0o755);
  }

  /** Where the broker of its house listens; undefined before there is one. */
  get endpoint(): string | undefined {
    const file = join(this.folder, '.domus', 'run', 'broker');
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  }

  /** The last lines of all logs of its house. */
  logs(): string {
    return lastLogLines(join(this.folder, '.domus'));
  }

  read(path: string): string | undefined {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (text.startsWith('#!')) chmodSync(file, 0o755);
  }

  /** Starts a command in a shell, as Ann types it in her checkout. */
  start(command: string, env: Readonly<Record<string, string>> = {}): Terminal {
    const own = { HOME: join(this.#root, 'ann'), PATH: `${this.#root}/bin:${this.folder}/node_modules/.bin:${process.env['PATH'] ?? ''}`, DOMUS_HOST: 'igor', DOMUS_BIND: 'tcp://127.0.0.1:*', NODE_COMPILE_CACHE: join(this.folder, compiled) };
    const started = startProgram('sh', ['-c', `exec 2>&1\n${command.replaceAll('/home/ann/', `${this.#root}/ann/`)}`], { cwd: this.folder, env: { ...own, ...env }, group: true });
    const terminal = { started, printed: () => stripVTControlCharacters(started.stdout()).replaceAll(this.#root, '/home') };
    this.#terminals.push(terminal);
    return terminal;
  }

  /** Ends what still runs, the last first; then nothing may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { started } of this.#terminals.toReversed()) await end(started);
    const left = processesWith(this.#root);
    for (const { pid } of left) killHard(pid);
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
    assert.deepEqual(left, [], 'processes were left over');
  }

  /** The installed packages of the original, and the libraries of this copy. */
  #linkDependencies(): void {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(join(modules, '@majordomus'), { recursive: true });
    for (const entry of readdirSync(join(original, 'node_modules')).filter((name) => name !== '@majordomus' && name !== '.cache')) {
      symlinkSync(join(original, 'node_modules', entry), join(modules, entry));
    }
    // What Node has compiled of the original is found by its path from there, which is the same here.
    mkdirSync(join(original, compiled), { recursive: true });
    mkdirSync(dirname(join(this.folder, compiled)));
    symlinkSync(join(original, compiled), join(this.folder, compiled));
    for (const library of readdirSync(join(this.folder, 'libs'))) symlinkSync(join(this.folder, 'libs', library), join(modules, '@majordomus', library));
  }
}

/** What a clone has, and the links of each package to its dependencies. */
function isSource(path: string): boolean {
  const inside = relative(original, path);
  return inside.split('/').includes('node_modules') || !leftOut.has(basename(path));
}

/** Asks a process group to end, and makes it. */
async function end({ child, pid, ended }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  kill(-pid, 'SIGTERM');
  const limit = setTimeout(() => kill(-pid, 'SIGKILL'), stopLimitMs);
  await ended;
  clearTimeout(limit);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
