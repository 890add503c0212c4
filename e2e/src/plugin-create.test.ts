// A new plugin, as its author comes by it: made by one command outside the checkout, tested by its own tests, checked by a compiler
// as an editor does it, and then in a real house.
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { helperDo } from '@majordomus/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProgram, type Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const hasPython = spawnSync('/usr/bin/python3', ['-c', 'import zmq']).status === 0;

const home = new Home();
let house: House;
beforeAll(async () => {
  house = await home.up();
});
afterAll(() => home[Symbol.asyncDispose]());

/** Makes a plugin beside the home; gives its folder, and the command that it is told to be tested with. */
async function create(name: string, ...flags: readonly string[]): Promise<{ readonly folder: string; readonly testCommand: string }> {
  const { code, stderr } = await home.runWith({ cwd: home.root }, 'plugin', 'create', name, ...flags);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(new RegExp(`^made \\./${name}, a plugin in .*\n {2}\\(cd \\./${name} && .*\\)\n {2}\\./domus plugin install \\./${name} --watch\n$`)) });
  return { folder: join(home.root, name), testCommand: stderr.split('\n')[1] ?? '' };
}

async function runIn(cwd: string, program: string, ...args: readonly string[]): Promise<Ran> {
  const started = startProgram(program, args, { cwd });
  started.child.stdin?.end();
  return await started.ended;
}

/** Installs, calls and stops it. */
async function liveIn(folder: string, name: string): Promise<unknown> {
  await home.tell('plugin', 'install', folder);
  expect(await house.plugin(name)).toMatchObject({ state: 'running', version: '0.1.0' });
  const { result } = await house.client.call(helperDo, { command: 'memory' }, { service: house.service(name) });
  await home.tell('plugin', 'stop', name);
  expect(await house.plugin(name)).toMatchObject({ state: 'stopped', lastError: '' });
  return result;
}

it('is not made with the name of a plugin that comes with the house', async () => {
  expect(await home.runWith({ cwd: home.root }, 'plugin', 'create', 'diskfree')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NAME_TAKEN: diskfree is .*; take another name, for example my-diskfree\n$/) });
});

const kitPlugins = [['TypeScript', 'lamp-ts', []], ['JavaScript', 'lamp-js', ['--js']]] as const;

it.each(kitPlugins)('a new plugin in %s passes its own tests, and runs in a house', async (_language, name, flags) => {
  const { folder, testCommand } = await create(name, ...flags);
  const tested = await runIn(home.root, 'sh', '-c', testCommand);
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 4\n[^]*fail 0\n/) });
  expect(await liveIn(folder, name)).toEqual({ used: expect.any(Number), measuredAt: expect.stringMatching(/^\d{4}-/) });
});

it.skipIf(process.env['CI'] !== 'true' && !hasPython)('a new plugin in Python passes its own tests, and runs in a house (python3-zmq)', async () => {
  const { folder, testCommand } = await create('lamp-py', '--python');
  expect(await runIn(home.root, 'sh', '-c', testCommand)).toMatchObject({ code: 0 });
  expect(await liveIn(folder, 'lamp-py')).toMatchObject({ used: expect.any(Number) });
});

it('compiles in both, as an editor does it, which says where a command has no function', async () => {
  const folders = await Promise.all([create('types-ts'), create('types-js', '--js'), create('types-wrong')]);
  const manifest = join(home.root, 'types-wrong', 'plugin.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"memory":', '"used":'));
  // One run for all three, with what each of them says itself.
  const [options, ...others] = folders.map(({ folder }) => (JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')) as { readonly compilerOptions: object }).compilerOptions);
  for (const other of others) expect({ ...other, allowJs: true, checkJs: true }).toEqual({ ...options, allowJs: true, checkJs: true });
  writeFileSync(join(home.root, 'tsconfig.json'), JSON.stringify({ extends: './types-js/tsconfig.json', include: ['types-*/src'] }));
  const { code, stdout } = await runIn(home.root, join(modules, '.bin', 'tsc'), '-p', '.');
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^types-wrong\/src\/plugin\.ts\(\d+,\d+\): error TS\d+: .*'memory' does not exist[^\n]*\n(?!types-)/) });
  expect(stdout.match(/error TS/g)).toHaveLength(1);
});

it('is tested by vitest in the same way, where its author has that', async () => {
  const { folder } = await create('lamp-vitest');
  symlinkSync(join(modules, 'vitest'), join(folder, 'node_modules', 'vitest'));
  const ownTest = join(folder, 'src', 'plugin.test.ts');
  writeFileSync(ownTest, `
import { testPlugin } from '@majordomus/plugin';
import { expect, onTestFinished, test } from 'vitest';
import { memoryPlugin } from './plugin.ts';

test('measures at each interval', async () => {
  let used = 40;
  const plugin = await testPlugin(memoryPlugin(() => used));
  onTestFinished(() => plugin.stop());
  used = 50;
  await plugin.clock.advance(60_000);
  expect(await plugin.helper('memory')).toMatchObject({ used: 50 });
});
`);
  const { code, stdout, stderr } = await runIn(folder, join(folder, 'node_modules', '.bin', 'node'), join(modules, 'vitest', 'vitest.mjs'), 'run');
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 passed/) });
});
