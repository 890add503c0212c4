// `domus plugin install FOLDER --watch`: an author saves, and sees what became of it.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { helperDo } from '@majordomus/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { domusScript, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { untilTrue } from './waiting.ts';

const home = new Home();
let house: House;
beforeAll(async () => {
  house = await home.up();
});
afterAll(() => home[Symbol.asyncDispose]());

async function create(name: string): Promise<string> {
  const folder = join(home.root, name);
  await home.tell('plugin', 'create', name, '--folder', folder);
  return folder;
}

/** Waits until it has printed this, after all that was waited for before. */
function follow(watching: Started): (expected: RegExp) => Promise<void> {
  let from = 0;
  const printed = (): string => watching.stderr();
  return async (expected) => {
    await untilTrue(`it prints ${String(expected)}`, () => {
      const found = expected.exec(printed().slice(from));
      if (found !== null) from += found.index + found[0].length;
      return found !== null;
    }, { describe: () => printed() + watching.stdout() });
  };
}

/** As editors do. */
function save(file: string, content: string): void {
  writeFileSync(`${file}~`, content);
  renameSync(`${file}~`, file);
}

it('runs what was saved last, tells what is wrong, shows the log, and leaves the plugin when it ends', async () => {
  const folder = await create('lamp');
  const source = join(folder, 'src', 'plugin.ts');
  const manifest = join(folder, 'plugin.json');
  const [code, description] = [readFileSync(source, 'utf8'), readFileSync(manifest, 'utf8')];
  const watching = startProgram(domusScript, ['--home', home.folder, 'plugin', 'install', folder, '--watch']);
  const prints = follow(watching);
  const answer = async (): Promise<unknown> => (await house.client.call(helperDo, { command: 'memory' }, { service: house.service('lamp') })).result;

  await prints(/lamp 0\.1\.0 is running \(\d+\.\d s\)\nwatching .*lamp: it is installed again at each save; Ctrl-C ends this\n/);
  expect(await answer()).toMatchObject({ used: expect.any(Number) });

  save(source, code.replace('memory: () => last', "memory: () => 'bright'"));
  await prints(/lamp 0\.1\.0 is running/);
  expect(await answer()).toBe('bright');

  save(manifest, description.replace('"engine"', '"engin"'));
  await prints(/MANIFEST_INVALID: .*engin/);
  expect(await answer()).toBe('bright');

  save(manifest, description.replace('"0.1.0"', '"0.2.0"'));
  save(source, `${code}\nconst x = ;\n`);
  await prints(/lamp 0\.2\.0 is backoff: exit code 1/);
  await untilTrue('the log says why', () => /SyntaxError.*Expression expected/.test(watching.stdout()), { describe: watching.stdout });

  save(source, code);
  await prints(/lamp 0\.2\.0 is running/);
  await untilTrue('the log is shown', () => /INFO: measured \{"used":/.test(watching.stdout()), { describe: watching.stdout });

  watching.child.kill('SIGINT');
  expect(await watching.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/lamp stays installed, as it is now\n$/) });
  expect(await house.plugin('lamp')).toMatchObject({ state: 'running', version: '0.2.0' });
});

it('begins with a folder that cannot be installed yet, and ends when it is deleted', async () => {
  const folder = await create('torch');
  const manifest = join(folder, 'plugin.json');
  const description = readFileSync(manifest, 'utf8');
  save(manifest, '{');
  const watching = startProgram(domusScript, ['--home', home.folder, 'plugin', 'install', folder, '--watch']);
  const prints = follow(watching);
  await prints(/MANIFEST_INVALID: [^]*watching/);
  save(manifest, description);
  await prints(/torch 0\.1\.0 is running/);
  rmSync(folder, { recursive: true });
  expect(await watching.ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/FOLDER_GONE: .*torch is not there any more/) });
  expect(await house.plugin('torch')).toMatchObject({ state: 'running' });
});

it('is for a folder alone', async () => {
  const archive = join(home.root, 'torch.tgz');
  writeFileSync(archive, '');
  expect(await home.run('plugin', 'install', archive, '--watch')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^USAGE: --watch needs the folder of a plugin/) });
  expect(await home.run('plugin', 'install', home.root, '--watch', '--on', 'attic')).toMatchObject({ code: 1, stderr: expect.stringMatching(/'--watch' cannot be used with option '--on/) });
});
