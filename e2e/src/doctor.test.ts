// `domus doctor` on houses that are well, and on what can be wrong with them.
import { chmodSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { writeShellPlugin } from './test-plugins.ts';

interface Finding {
  readonly what: string;
  readonly state: string;
  readonly text: string;
  readonly todo?: string;
}


/** What it finds, by what was looked at; several of one kind are the last of them. */
async function examined(home: Home, env: Readonly<Record<string, string>> = {}): Promise<{ readonly code: number | null; readonly findings: Readonly<Record<string, Finding>> }> {
  const { code, stdout, stderr } = await home.runWith({ env }, 'doctor', '--json');
  expect(stderr).toBe('');
  return { code, findings: Object.fromEntries((JSON.parse(stdout) as Finding[]).map((finding) => [finding.what, finding])) };
}


describe('a house that runs', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true, args: ['--host', 'igor'] });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('is well: each line says ok', async () => {
    const { code, stdout, stderr }: Ran = await home.run('doctor');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok {6}|note {4}) [a-z]+ +\S/);
    for (const what of ['node', 'clock', 'settings', 'home', 'disk', 'logs', 'database', 'port', 'reach', 'versions', 'parts', 'plugins', 'kit']) expect(stdout).toMatch(new RegExp(`^(ok|note) +${what} `, 'm'));
    expect(stdout).toMatch(/^ok +database +whole, /m);
    expect(stdout).toMatch(new RegExp(`^ok +port +the broker answers at ${house.endpoint} within`, 'm'));
    expect(stdout).toMatch(/^ok +parts +4 of 4 run$/m);
  });

  it('says which plugin fails, and where to look', async () => {
    await home.tell('plugin', 'install', '--no-start', writeShellPlugin(home, 'broken', 'exit 3'));
    await house.client.request('manager', { action: 'plugin.start', data: { id: 'broken' } });
    await house.untilPlugin('broken', ({ state }) => state === 'backoff' || state === 'failed');
    const { code, findings } = await examined(home);
    // It may be tried again in the very moment.
    if (findings['plugins']?.state === 'problem') {
      expect(findings['plugins']).toMatchObject({ text: expect.stringMatching(/^broken is (backoff|failed)/), todo: `see: ./domus plugin log broken --home ${home.folder}` });
      expect(code).toBe(1);
    }
    await home.tell('plugin', 'uninstall', 'broken');
  });
});

describe('a home without a house', () => {
  it('is well before its first start', async () => {
    await using home = new Home();
    const { code, findings } = await examined(home, { DOMUS_BIND: 'tcp://127.0.0.1:*' });
    expect(code).toBe(0);
    expect(findings).toMatchObject({ home: { state: 'note' }, database: { state: 'note', text: 'there is none yet' }, port: { state: 'ok' }, house: { state: 'note', todo: `start it: ./domus up --home ${home.folder}` } });
  });

  it('is well after its house has stopped: the database is checked in its file', async () => {
    await using home = new Home();
    {
      await using _house = await home.up();
    }
    const { code, findings } = await examined(home, { DOMUS_BIND: 'tcp://127.0.0.1:*' });
    expect(code).toBe(0);
    expect(findings).toMatchObject({ home: { state: 'ok', text: `${home.folder}, no house runs on it` }, database: { state: 'ok', text: expect.stringMatching(/^whole, /) } });
  });

  it('says that another house or program has the port', async () => {
    await using home = new Home();
    await using other = new Home();
    const { endpoint } = await other.up();
    expect((await examined(home, { DOMUS_BIND: endpoint })).findings['port']).toMatchObject({ state: 'problem', text: `${endpoint} is taken by another house, whose home is ${other.folder}`, todo: expect.stringContaining('--bind') });
    const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as { readonly port: number };
      const { code, findings } = await examined(home, { DOMUS_BIND: `tcp://127.0.0.1:${port}` });
      expect(findings['port']).toMatchObject({ state: 'problem', text: expect.stringMatching(/is taken by (another program|.* \(pid \d+\))$/) });
      expect(code).toBe(1);
    } finally {
      server.close();
    }
  });

  it('says what is wrong in majordomus.toml, and goes on', async () => {
    await using home = new Home();
    writeFileSync(join(home.newFolder('home'), 'majordomus.toml'), 'bind = = 1\n');
    const { code, findings } = await examined(home);
    expect(code).toBe(1);
    expect(findings).toMatchObject({ settings: { state: 'problem', text: expect.stringContaining('majordomus.toml, line 1') }, home: { state: 'ok' }, node: { state: 'ok' } });
  });

  it('says that a database is damaged', async () => {
    await using home = new Home();
    writeFileSync(join(home.newFolder('home/db'), 'majordomus.sqlite'), 'This is no database, and long enough to be looked at as one. '.repeat(100));
    expect((await examined(home)).findings['database']).toMatchObject({ state: 'problem', text: expect.stringContaining('is damaged: file is not a database'), todo: 'start the house: it sets the file aside and recovers what can be read' });
  });

  it('says that the clock is behind what was written', async () => {
    await using home = new Home();
    const file = join(home.newFolder('home/logs'), 'broker.log');
    writeFileSync(file, '');
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(file, later, later);
    expect((await examined(home)).findings['clock']).toMatchObject({ state: 'problem', text: expect.stringContaining('files of the home were written at') });
  });

  it('says that others can write it, or that it cannot be written', async () => {
    await using home = new Home();
    chmodSync(home.newFolder('home'), 0o777);
    expect((await examined(home)).findings['home']).toMatchObject({ state: 'problem', todo: `chmod go-w ${home.folder}` });
    rmSync(home.folder, { recursive: true });
    writeFileSync(home.folder, '');
    expect((await examined(home)).findings['home']).toMatchObject({ state: 'problem', text: `${home.folder} is no folder` });
  });

  it('is told who else reaches the bus', async () => {
    await using home = new Home();
    const { code, findings } = await examined(home, { DOMUS_BIND: 'tcp://0.0.0.0:*' });
    expect(findings['reach']).toMatchObject({ state: 'note', text: expect.stringContaining('whoever does can run code here') });
    expect(code).toBe(0);
  });
});
