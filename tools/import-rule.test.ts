// The guard of the import rule (docs/architecture.md) is seen to fail. Each kind of violation is planted in a copy of
// this checkout, and the tools that guard it, with their real settings, must name it; without it they must be content.
// oxlint knows files, turbo boundaries knows packages.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const checkout = join(import.meta.dirname, '..');
const bin = join(checkout, 'node_modules', '.bin');
const packages = globSync(['{libs,apps,plugins}/*/package.json', '{bench,e2e,package}/package.json'], { cwd: checkout }).map((file) => dirname(file)).toSorted();

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'majordomus-import-rule-'));
  const left = new Set(['.git', '.turbo', '.domus', 'dist', 'docs']);
  cpSync(checkout, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !left.has(basename(path)) && path !== join(checkout, 'node_modules'),
  });
  symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

interface Outcome {
  readonly good: boolean;
  readonly output: string;
}

function run(program: string, args: readonly string[], folder: string): Outcome {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', NO_COLOR: '1', FORCE_COLOR: '0' };
  const { status, stdout, stderr, error } = spawnSync(join(bin, program), args, { cwd: join(copy, folder), env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  // The tools break long lines and draw frames around them.
  return { good: status === 0, output: `${stdout}\n${stderr}`.replaceAll(/\s*\n[\s|│]*/g, ' ') };
}

/** Writes a file into the copy for as long as `look` runs. */
function planted<Result>(file: string, text: string, look: () => Result): Result {
  const path = join(copy, file);
  const before = existsSync(path) ? readFileSync(path) : undefined;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  try {
    return look();
  } finally {
    if (before === undefined) rmSync(path);
    else writeFileSync(path, before);
  }
}

/** Lints one planted file as the `lint` script of its package does. */
function lint(file: string, text: string): Outcome {
  const folder = packages.find((name) => file.startsWith(`${name}/`)) ?? '.';
  return planted(file, text, () => run('oxlint', [relative(folder, file)], folder));
}

function boundaries(): Outcome {
  return run('turbo', ['boundaries'], '.');
}

describe('every package', () => {
  it.each(packages)('%s has its checks, and the tag of its folder', (folder) => {
    const { scripts } = JSON.parse(readFileSync(join(checkout, folder, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const { tags } = JSON.parse(readFileSync(join(checkout, folder, 'turbo.json'), 'utf8')) as { tags: string[] };
    const base = ['libs/contracts', 'libs/mq', 'libs/runtime', 'libs/zmtp'];
    const byFolder: Record<string, string> = { libs: base.includes(folder) ? 'base' : 'mid', apps: 'app', plugins: 'plugin', bench: 'test', e2e: 'test', package: 'test' };
    expect(scripts).toMatchObject({ typecheck: 'tsc -p .', lint: 'oxlint' });
    expect(tags).toEqual([byFolder[folder.split('/')[0] ?? '']]);
  });
});

describe('oxlint, file by file', () => {
  const pure = 'libs/mq/src/mdp/planted.ts';
  const imports = 'eslint(no-restricted-imports)';

  it.each<[string, string, string, string, string]>([
    ['the protocol machines open files', pure, `import { readFileSync } from 'node:fs'; export const a = readFileSync;`, imports, 'Pure code'],
    ['the protocol machines open files by the old name', pure, `import { readFileSync } from 'fs'; export const a = readFileSync;`, 'unicorn(prefer-node-protocol)', 'node:fs'],
    ['the protocol machines use zeromq', pure, `import { Router } from 'zeromq'; export const a = Router;`, imports, 'Pure code'],
    ['the protocol machines use what stands above them', pure, `import { a } from '../zeromq.ts'; export const b = a;`, imports, 'above its folder'],
    ['the protocol machines read the clock', pure, 'export const a = Date.now();', 'eslint(no-restricted-globals)', `'Date'`],
    ['the protocol machines set a timer', pure, 'setTimeout(() => {}, 1);', 'eslint(no-restricted-globals)', `'setTimeout'`],
    ['the protocol machines draw lots', pure, 'export const a = Math.random();', 'eslint(no-restricted-properties)', 'randomness as an argument'],
    ['the contracts read the environment', 'libs/contracts/src/planted.ts', `export const a = process.env['HOME'];`, 'eslint(no-restricted-globals)', `'process'`],
    ['the supervision machine starts a process', 'libs/supervisor/src/process-machine.ts', `import { spawn } from 'node:child_process'; export const a = spawn;`, imports, 'Pure code'],
    ['the restart policy reads the clock', 'libs/supervisor/src/restart-policy.ts', 'export const a = performance.now();', 'eslint(no-restricted-globals)', `'performance'`],
    ['a second file imports zeromq', 'libs/mq/src/planted.ts', `import { Router } from 'zeromq'; export const a = Router;`, imports, 'Only libs/mq/src/zeromq.ts'],
    ['a second file imports zeromq when it runs', 'libs/mq/src/planted.ts', `export const a = await import('zeromq');`, imports, 'Only libs/mq/src/zeromq.ts'],
    ['an app imports zeromq', 'apps/broker/src/planted.ts', `import { Router } from 'zeromq'; export const a = Router;`, imports, 'Only libs/mq/src/zeromq.ts'],
    ['an app imports past index.ts', 'apps/broker/src/planted.ts', `import { a } from '@majordomus/mq/src/zeromq.ts'; export const b = a;`, imports, 'index.ts'],
    ['a test imports past index.ts', 'apps/broker/src/planted.test.ts', `import { a } from '@majordomus/mq/src/zeromq.ts'; export const b = a;`, imports, 'index.ts'],
    ['a plugin imports the bus', 'plugins/diskfree/src/planted.ts', `import { Client } from '@majordomus/mq'; export const a = Client;`, imports, 'libs/plugin alone'],
    ['a plugin imports the types of the bus', 'plugins/diskfree/src/planted.ts', `import type { Client } from '@majordomus/mq'; export type A = Client;`, imports, 'libs/plugin alone'],
    ['the test of a plugin imports the runtime', 'plugins/diskfree/src/planted.test.ts', `import { runPart } from '@majordomus/runtime'; export const a = runPart;`, imports, 'libs/plugin alone'],
    ['a plugin imports past index.ts', 'plugins/diskfree/src/planted.ts', `import { a } from '@majordomus/plugin/src/a.ts'; export const b = a;`, imports, 'index.ts'],
    ['a type is imported where no rule looks', 'libs/mq/src/planted.ts', `export type A = import('zeromq').Router;`, 'typescript(consistent-type-imports)', 'forbidden'],
  ])('names it when %s', (_violation, file, text, rule, reason) => {
    const { good, output } = lint(file, `${text}\n`);
    expect(output).toContain(rule);
    expect(output).toContain(reason);
    expect(good).toBe(false);
  });

  it.each([
    ['zeromq.ts imports zeromq', 'libs/mq/src/zeromq.ts', `import { Router } from 'zeromq'; export const a = Router;`],
    ['a test of the bus has a raw peer', 'libs/mq/src/planted.test.ts', `import { Dealer } from 'zeromq'; export const a = Dealer;`],
    ['the protocol machines import each other', pure, `import { a } from './frames.ts'; export const b = a;`],
    ['an app imports the face of a library', 'apps/broker/src/planted.ts', `import { a } from '@majordomus/mq'; export const b = a;`],
    ['a plugin imports the kit', 'plugins/diskfree/src/planted.ts', `import { definePlugin } from '@majordomus/plugin'; export const a = definePlugin;`],
  ])('is content when %s', (_name, file, text) => {
    const { good, output } = lint(file, `${text}\n`);
    expect(output).toContain('Found 0 warnings and 0 errors.');
    expect(good).toBe(true);
  });

  it('has rules only for files that exist', () => {
    const { overrides } = JSON.parse(readFileSync(join(checkout, '.oxlintrc.json'), 'utf8')) as { overrides: { files: string[] }[] };
    const patterns = overrides.flatMap(({ files }) => files).filter((pattern) => !pattern.startsWith('**'));
    expect(patterns.filter((pattern) => globSync(pattern, { cwd: checkout }).length === 0)).toEqual([]);
  });
});

describe('turbo boundaries, package by package', () => {
  it('has seen every package, and is content with the house as it is', () => {
    const { good, output } = boundaries();
    expect(output).toMatch(new RegExp(String.raw`Checked [1-9]\d* files in ${packages.length} packages, no issues found`));
    expect(good).toBe(true);
  });

  it.each([
    ['leaves its package', 'libs/mq/src/planted.ts', `import { a } from '../../../apps/broker/src/service.ts'; export const b = a;`, 'leaves the package'],
    ['takes a type from another package', 'apps/cli/src/planted.ts', `import type { A } from '../../broker/src/service.ts'; export type B = A;`, 'leaves the package'],
    ['passes on another package', 'apps/cli/src/planted.ts', `export * from '../../broker/src/service.ts';`, 'leaves the package'],
    ['leaves its package when it runs', 'apps/cli/src/planted.ts', `export const a = await import('../../broker/src/service.ts');`, 'leaves the package'],
    ['leaves its package in a test', 'plugins/diskfree/src/planted.test.ts', `import { a } from '../../../libs/mq/src/index.ts'; export const b = a;`, 'leaves the package'],
    ['imports an app', 'apps/cli/src/planted.ts', `import { a } from '@majordomus/broker'; export const b = a;`, 'because it is not a dependency'],
    ['imports what its package does not declare', 'libs/mq/src/planted.ts', `import { parse } from 'smol-toml'; export const b = parse;`, 'because it is not a dependency'],
  ])('names a file that %s', (_violation, file, text, reason) => {
    const { good, output } = planted(file, `${text}\n`, boundaries);
    expect(output).toContain(reason);
    expect(output).toContain(basename(file));
    expect(good).toBe(false);
  });

  it.each([
    ['an app', 'an app', 'apps/cli', '@majordomus/broker'],
    ['a library', 'an app', 'libs/supervisor', '@majordomus/broker'],
    ['a plugin', 'an app', 'plugins/diskfree', '@majordomus/dbmanager'],
    ['the ground', 'what stands on it', 'libs/mq', '@majordomus/supervisor'],
    ['the kit', 'the supervisor', 'libs/plugin', '@majordomus/supervisor'],
    ['the whole-system tests', 'an app', 'e2e', '@majordomus/broker'],
  ])('names %s that depends on %s: %s on %s', (_one, _other, folder, dependency) => {
    const file = join(folder, 'package.json');
    const declaration = JSON.parse(readFileSync(join(copy, file), 'utf8')) as { devDependencies?: Record<string, string> };
    declaration.devDependencies = { ...declaration.devDependencies, [dependency]: 'workspace:*' };
    const { good, output } = planted(file, JSON.stringify(declaration), boundaries);
    expect(output).toContain(`Package \`${dependency}\` found without any tag listed in allowlist`);
    expect(good).toBe(false);
  });
});
