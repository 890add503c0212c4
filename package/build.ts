// Makes the package `majordomus` in dist/: the parts of the workspace as JavaScript with declarations, in the same folders as
// in the checkout, so that a stack trace and a relative path say the same in both. `pnpm pack` runs it first.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { majordomusVersion } from '@majordomus/runtime';
import { emittedName, finishEmitted, unfinishedLines } from './emitted.ts';

const root = join(import.meta.dirname, '..');
const dist = join(import.meta.dirname, 'dist');

/** A part of the workspace that goes into the package. */
interface Part {
  /** From the top: `libs/mq`. */
  readonly folder: string;
  readonly kind: 'libs' | 'apps' | 'plugins';
  /** A plugin in another language has none. */
  readonly packageJson: PackageJson | undefined;
}

interface PackageJson {
  readonly [key: string]: unknown;
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** In a plugin.json. */
  readonly main?: string;
}

class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly code = 'BUILD_FAILED';
}

const parts = (['libs', 'apps', 'plugins'] as const).flatMap((kind) =>
  globSync(`${kind}/*/${kind === 'plugins' ? 'plugin' : 'package'}.json`, { cwd: root }).map(dirname).sort().map((folder): Part => {
    const file = join(root, folder, 'package.json');
    return { folder, kind, packageJson: existsSync(file) ? readJson(file) : undefined };
  }));

rmSync(dist, { recursive: true, force: true });
compile();
for (const part of parts) {
  copyOthers(part);
  if (part.kind === 'plugins') writePlugin(part);
}
finish();
writeKit();
writePackage();

function compile(): void {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status, error } = spawnSync(tsc, ['-p', join(import.meta.dirname, 'tsconfig.build.json')], { stdio: 'inherit' });
  if (status !== 0) throw new BuildError("the compiler could not write the package; run 'npx -y pnpm check' for what is wrong", { cause: error });
}

/** What is no source: templates, programs in other languages, texts. Tests, and what only a checkout needs, stay behind. */
function copyOthers({ folder }: Part): void {
  const notShipped = ['node_modules/**', '**/__pycache__/**', 'test/**', 'test_*', 'link/**', 'src/**/*.ts', '{package,tsconfig,turbo}.json'];
  for (const entry of globSync('**', { cwd: join(root, folder), exclude: notShipped, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    cpSync(join(root, path), join(dist, path));
  }
}

/** A plugin is installed from its folder into a home, where it runs: it says what it needs itself, and imports the kit by name. */
function writePlugin({ folder, packageJson }: Part): void {
  if (packageJson !== undefined) {
    const { scripts: _ofTheCheckout, devDependencies: _notRun, private: _no, bin, ...kept } = packageJson;
    const programs = bin && Object.fromEntries(Object.entries(bin).map(([name, source]) => [name, emittedName(source)]));
    writeJson(join(folder, 'package.json'), { ...kept, ...(programs && { bin: programs }) });
  }
  const manifest = join(folder, 'plugin.json');
  const { main, ...others } = readJson(join(root, manifest));
  writeJson(manifest, { ...others, ...(main !== undefined && { main: emittedName(main) }) });
}

/** Only libraries are imported from outside, and need declarations. */
function finish(): void {
  const entries = new Map(parts.filter(({ kind }) => kind === 'libs').map(({ folder, packageJson }) => [packageJson?.name ?? folder, `${folder}/src/index.js`]));
  for (const path of globSync('{apps,plugins}/*/src/**/*.d.ts', { cwd: dist })) rmSync(join(dist, path));
  for (const path of globSync('{libs,apps,plugins}/*/src/**/*.{js,d.ts}', { cwd: dist })) {
    const own = path.startsWith('plugins/') ? new Map<string, string>() : entries;
    const text = finishEmitted(readFileSync(join(dist, path), 'utf8'), path, own);
    const unfinished = unfinishedLines(text);
    if (unfinished.length > 0) throw new BuildError(`${path} names a source that is not in the package: ${unfinished.join('\n')}`);
    // Whoever imports a library has the types of Node, which its declarations speak of.
    writeFileSync(join(dist, path), path.endsWith('/src/index.d.ts') ? `/// <reference types="node" />\n${text}` : text);
  }
}

/** The kit is found by plugins under its own name, as <home>/packages/node_modules/@majordomus/plugin. */
function writeKit(): void {
  const kit = parts.find(({ packageJson }) => packageJson?.name === '@majordomus/plugin');
  if (kit?.packageJson === undefined) throw new BuildError('there is no @majordomus/plugin in libs');
  const { name, description, license, type } = kit.packageJson;
  writeJson(join(kit.folder, 'package.json'), { name, version: majordomusVersion, description, license, type, exports: exportsOf(kit, '.', '.') });
}

/** What others import of a library: its JavaScript and its types. */
function exportsOf({ packageJson }: Part, as: string, folder: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(packageJson?.exports ?? {}).map(([name, source]) => {
    const base = `${folder}/${source.replace(/^\.\//, '').replace(/\.ts$/, '')}`;
    return [`${as}${name.slice(1)}`, { types: `${base}.d.ts`, default: `${base}.js` }];
  }));
}

/** The package's own package.json: what is written by hand, the version, what the parts depend on, and what is public. */
function writePackage(): void {
  const { private: _not, scripts: _ofTheBuild, devDependencies: _built, publishConfig: _there, dependencies, ...own } = readJson(join(import.meta.dirname, 'package.json'));
  const needed: Record<string, string> = { ...dependencies };
  for (const { kind, packageJson } of parts) {
    if (kind === 'plugins') continue;
    for (const [name, range] of Object.entries(packageJson?.dependencies ?? {})) {
      if (range.startsWith('workspace:')) continue;
      if ((needed[name] ?? range) !== range) throw new BuildError(`two parts want ${name}, as ${needed[name]} and as ${range}; a package has one`);
      needed[name] = range;
    }
  }
  const open = ['contracts', 'mq', 'plugin'].flatMap((name) => {
    const part = parts.find(({ folder }) => folder === `libs/${name}`);
    return part === undefined ? [] : Object.entries(exportsOf(part, `./${name}`, `./libs/${name}`));
  });
  const sorted = Object.fromEntries(Object.entries(needed).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeJson('package.json', { ...own, version: majordomusVersion, exports: { ...Object.fromEntries(open), './package.json': './package.json' }, dependencies: sorted });
  cpSync(join(import.meta.dirname, 'bin'), join(dist, 'bin'), { recursive: true });
  cpSync(join(import.meta.dirname, 'README.md'), join(dist, 'README.md'));
  for (const name of ['LICENSE', 'docs']) cpSync(join(root, name), join(dist, name), { recursive: true });
}

/** A package.json or plugin.json of the checkout. */
function readJson(path: string): PackageJson {
  if (!existsSync(path)) throw new BuildError(`there is no ${path}`);
  const content: PackageJson = JSON.parse(readFileSync(path, 'utf8'));
  return content;
}

function writeJson(path: string, content: unknown): void {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  writeFileSync(join(dist, path), `${JSON.stringify(content, null, 2)}\n`);
}
