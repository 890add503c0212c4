// The package `majordomus` as a person has it: packed once, and installed into a folder of its own by npm on a chosen Node.
import { strict as assert } from 'node:assert';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram, type Domus, type Ran } from './domus.ts';

const packageFolder = fileURLToPath(new URL('../../package', import.meta.url));

/** A Node and the npm that its users have. */
export interface NodeAndNpm {
  readonly name: string;
  readonly node: string;
  readonly npm: string;
}

export const oldestNode: NodeAndNpm = { name: 'Node 22', node: installed('node-22/bin/node'), npm: installed('npm-10/bin/npm-cli.js') };

/** The newest of each line that Majordomus runs on; npm 10 runs scripts of what it installs, npm 12 does not. */
export const nodes: readonly NodeAndNpm[] = [
  oldestNode,
  { name: 'Node 24', node: installed('node-24/bin/node'), npm: installed('npm-12/bin/npm-cli.js') },
  { name: 'Node 26', node: installed('node-26/bin/node'), npm: installed('npm-12/bin/npm-cli.js') },
];

/** Builds and packs the package into a folder; gives the archive. */
export async function pack(folder: string): Promise<string> {
  succeeded(await startProgram('npx', ['-y', 'pnpm', 'pack', '--pack-destination', folder], { cwd: packageFolder }).ended);
  const archives = readdirSync(folder).filter((file) => /^majordomus-.*\.tgz$/.test(file));
  assert.equal(archives.length, 1, `one archive, not ${archives.join(', ') || 'none'}`);
  return join(folder, archives[0] ?? '');
}

/** Where the package was installed, and how it is run. */
export interface Installation extends Domus {
  /** The folder with node_modules. */
  readonly folder: string;
  readonly node: string;
  /** What npm said. */
  readonly said: string;
}

/** Installs the archive into an empty folder as `npm install` does by default, downloading from the registry alone. */
export async function install(archive: string, folder: string, { node, npm }: NodeAndNpm): Promise<Installation> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const env = { PATH: `${dirname(node)}:${process.env['PATH']}` };
  const ran = await startProgram(node, [npm, 'install', '--prefer-offline', '--no-audit', '--no-fund', archive], { cwd: folder, env }).ended;
  return { folder, node, env, program: join(folder, 'node_modules', '.bin', 'domus'), said: succeeded(ran) };
}

/** What it said. */
export function succeeded({ code, stdout, stderr }: Ran): string {
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

function installed(path: string): string {
  return join(import.meta.dirname, '..', 'node_modules', path);
}
