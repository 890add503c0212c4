// Installing on the command line from what is not a folder (docs/packages.md has the rest, and is run as it stands).
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { jobGet } from '@majordomus/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { domusScript, startProgram } from './domus.ts';
import { Home } from './home.ts';
import { writeKitPlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

/** An archive of a plugin, packed as GitHub packs. */
function packPlugin(home: Home, name: string): string {
  const folder = writeKitPlugin(home, name);
  const archive = join(home.root, `${name}.tgz`);
  execFileSync('tar', ['-czf', archive, '-C', dirname(folder), basename(folder)]);
  return archive;
}

it('an installation goes on when Ctrl-C ends who follows it, and that is said with its job', async () => {
  await using home = new Home();
  const house = await home.up();
  const archive = readFileSync(packPlugin(home, 'patient'));
  const mayAnswer = Promise.withResolvers<void>();
  const server = createServer((_request, response) => void mayAnswer.promise.then(() => response.end(archive))).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');

  const following = startProgram(domusScript, ['--home', home.folder, 'plugin', 'install', `http://127.0.0.1:${(server.address() as AddressInfo).port}/patient.tgz`]);
  await untilTrue('it is being fetched', () => following.stderr().includes('fetch, 2 %'));
  following.child.kill('SIGINT');
  const { code, stderr } = await following.ended;
  expect(code).toBe(130);
  const { service = '', id = '' } = /goes on without you; how far it is: \.\/domus call (?<service>\S+) job\.get '\{"id": "(?<id>[^"]+)"\}'$/m.exec(stderr)?.groups ?? {};
  expect((await house.client.call(jobGet, { id }, { service })).job).toMatchObject({ state: 'running', step: 'fetch' });
  mayAnswer.resolve();
  await expect.poll(async () => (await house.client.call(jobGet, { id }, { service })).job, { timeout: 20_000 }).toMatchObject({ state: 'done', plugin: 'patient' });
});

it('an archive is installed, started and told as JSON', async () => {
  await using home = new Home();
  const house = await home.up();
  const archive = packPlugin(home, 'packed');
  const { job, started } = await home.tell('plugin', 'install', archive, '--json').then((told) => {
    const { started, ...job } = JSON.parse(told) as { readonly started: unknown };
    return { job, started };
  });
  expect(job).toMatchObject({ state: 'done', plugin: 'packed', version: '1.0.0', change: 'first', source: archive });
  expect(started).toMatchObject({ id: `${house.host}.packed`, state: 'running' });
  expect(await home.run('plugin', 'upgrade', '--all')).toMatchObject({ code: 0, stderr: expect.stringMatching(/^packed was installed from the archive/) as string });
  expect(await home.run('plugin', 'upgrade')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^USAGE: name a plugin to upgrade, or give --all/) as string });
});
