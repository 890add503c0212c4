// Rule R15 in a whole house: an instance of a plugin that escaped its supervisor sleeps, or is stuck, while the manager starts
// another. It can do nothing on the bus any more, and ends itself; whoever calls reaches the new one alone.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { helperDo, pluginInstall, pluginStart, pluginStop, type JsonValue } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { killHard } from './processes.ts';
import { RawPeer } from './raw-peer.ts';
import { command, writeKitPlugin, writePlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

const python = '/usr/bin/python3';
const hasZmq = spawnSync(python, ['-c', 'import zmq']).status === 0;
const pythonHouse = fileURLToPath(new URL('../../libs/plugin/templates/python/house', import.meta.url));
const exitSuperseded = 79;
const busTimeoutMs = 20_000;
/** It ends itself within 2 s; twice that is for a machine that has other things to do. */
const endLimitMs = 4000;
/** From then on the kit takes it for a pause when its process does not run. */
const pauseMs = 2500;
const commands = { who: command, switch: command };

/** `who` gives its process id, and `switch` writes it to a file: what a lamp would have done. */
function writeLamp(home: Home): string {
  const switched = JSON.stringify(switchedFile(home, 'lamp'));
  return writeKitPlugin(home, 'lamp', {
    commands,
    before: "import { appendFileSync } from 'node:fs';",
    definition: `{ helpers: { who: () => process.pid, switch: () => { appendFileSync(${switched}, process.pid + '\\n'); return process.pid; } } }`,
  });
}

function writePythonLamp(home: Home): string {
  const folder = writePlugin(home, 'pylamp', { exec: [python, '-B', 'main.py'], commands }, {
    'main.py': `import os
import house

def who(parameters, configuration):
    return os.getpid()

def switch(parameters, configuration):
    with open(${JSON.stringify(switchedFile(home, 'pylamp'))}, 'a') as file:
        file.write(f'{os.getpid()}\\n')
    return os.getpid()

house.run({'who': who, 'switch': switch})
`,
  });
  cpSync(pythonHouse, join(folder, 'house'), { recursive: true });
  return folder;
}

function switchedFile(home: Home, name: string): string {
  return join(home.root, `${name}-switched`);
}

describe.each(['zmtp', 'zeromq'])('fencing on %s', (transport) => {
  const home = new Home();
  const env = { DOMUS_HOME: home.folder, DOMUS_TRANSPORT: transport };
  let house: House;
  beforeAll(async () => {
    house = await home.up({ env });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const manager = (): { readonly service: string; readonly timeoutMs: number } => ({ service: house.service('manager'), timeoutMs: busTimeoutMs });
  const run = async (name: string, helper: string): Promise<JsonValue> =>
    (await house.client.call(helperDo, { command: helper, parameters: {} }, { service: house.service(name), timeoutMs: busTimeoutMs })).result ?? null;

  async function install(folder: string): Promise<void> {
    await house.client.call(pluginInstall, { source: folder }, { service: house.service('packagemanager'), timeoutMs: 60_000 });
  }

  /** An instance that no supervisor knows of, as one that escaped. */
  async function startByHand(name: string, folder: string): Promise<Started & { readonly pluginPid: number }> {
    const started = startProgram(domusScript, ['run', folder, '--broker', house.endpoint, '--host', house.host], { env });
    await untilTrue(`${name} is ready`, () => started.stdout().includes('"msg":"ready"'), { describe: started.stderr });
    return { ...started, pluginPid: Number(await run(name, 'who')) };
  }

  describe.each([
    { what: 'with the kit', name: 'lamp', write: writeLamp, skip: false },
    { what: 'in Python', name: 'pylamp', write: writePythonLamp, skip: process.env['CI'] !== 'true' && !hasZmq },
  ])('a plugin $what', ({ name, write, skip }) => {
    it.skipIf(skip)('R15: that slept while another was started gets nothing, does nothing, and ends by itself', { timeout: 90_000 }, async () => {
      const folder = write(home);
      await install(folder);
      await house.client.call(pluginStop, { id: name }, manager());
      const old = await startByHand(name, folder);
      try {
        process.kill(old.pluginPid, 'SIGSTOP');
        const stoppedMs = performance.now();
        const held = run(name, 'switch').then(() => 'done', (error: unknown) => error);
        await untilTrue('the sleeping one holds it', async () => /"open":1\b/.test(await house.client.manage('mmi.majordomus')));
        await house.client.call(pluginStart, { id: name }, manager());
        expect(await held).toMatchObject({ code: 'WORKER_LOST', message: expect.stringContaining('newer instance') });
        const pid = await house.pluginPid(name);
        expect(pid).not.toBe(old.pluginPid);
        for (let i = 0; i < 10; i += 1) expect(await run(name, 'who')).toBe(pid);
        await untilTrue('it was a pause', () => performance.now() - stoppedMs > pauseMs);
        process.kill(old.pluginPid, 'SIGCONT');
        const wokenMs = performance.now();
        expect(await old.ended).toMatchObject({ code: exitSuperseded, stdout: expect.stringContaining(`another instance of ${house.service(name)} runs now; this one ends`) });
        expect(performance.now() - wokenMs).toBeLessThan(endLimitMs);
        expect(existsSync(switchedFile(home, name)), 'it did what nobody waited for any more').toBe(false);
        expect(await run(name, 'switch')).toBe(pid);
        expect(readFileSync(switchedFile(home, name), 'utf8')).toBe(`${pid}\n`);
        expect(await house.plugin(name)).toMatchObject({ state: 'running', restarts: 0, pid });
      } finally {
        killHard(old.pluginPid);
        killHard(old.pid);
      }
    });

    // What follows from here on is the same on every transport.
    if (transport !== 'zmtp') return;
    it.skipIf(skip)('R15: that is started by hand takes the place of one started by hand before', { timeout: 90_000 }, async () => {
      await house.client.call(pluginStop, { id: name }, manager());
      const folder = join(home.root, 'sources', name);
      const first = await startByHand(name, folder);
      const second = await startByHand(name, folder);
      try {
        expect(await first.ended).toMatchObject({ code: exitSuperseded });
        expect(await run(name, 'who')).toBe(second.pluginPid);
      } finally {
        second.child.kill('SIGTERM');
        await second.ended;
      }
      await house.client.call(pluginStart, { id: name }, manager());
    });
  });

  it('R15: what a stuck instance still answers after another was started is dropped and counted', { timeout: 60_000 }, async () => {
    const service = house.service('lamp');
    await house.client.call(pluginStop, { id: 'lamp' }, manager());
    const before = await dropped();
    await using stuck = new RawPeer(house.endpoint);
    // It is a little older than what comes.
    await stuck.send('', 'MDPW01', '\x01', service, '4', String(Date.now()));
    const held = run('lamp', 'switch').then(() => 'done', (error: unknown) => error);
    const token = await nextRequest(stuck);
    await house.client.call(pluginStart, { id: 'lamp' }, manager());
    expect(await held).toMatchObject({ code: 'WORKER_LOST' });
    expect(await nextCommand(stuck, '\x05')).toEqual(['', 'MDPW01', '\x05', 'superseded']);
    await stuck.send('', 'MDPW01', '\x03', token, '', 'helper.result', '{"status":true,"reason":"","result":"forged"}');
    await untilTrue('it is counted', async () => {
      const now = await dropped();
      return now.workerUnknown === before.workerUnknown + 1 && now.superseded === before.superseded + 1;
    });
    expect(await run('lamp', 'who')).toBe(await house.pluginPid('lamp'));
  });

  if (transport === 'zmtp') it('R15: an instance without an epoch is refused, and is told what to do', { timeout: 60_000 }, async () => {
    const pid = await house.pluginPid('lamp');
    const main = join(home.folder, 'packages', 'lamp', 'current', 'main.mjs');
    const byItself = startProgram(process.execPath, [main, '--broker', house.endpoint, '--host', house.host], { env });
    try {
      const { code, stdout } = await byItself.ended;
      expect(code).toBe(exitSuperseded);
      expect(stdout).toMatch(/was started by a manager; this one has no epoch \(DOMUS_EPOCH\) and ends: .*domus run FOLDER/);
    } finally {
      killHard(byItself.pid);
    }
    expect(await house.plugin('lamp')).toMatchObject({ state: 'running', restarts: 0, pid });
  });

  async function dropped(): Promise<{ readonly workerUnknown: number; readonly superseded: number }> {
    const status = JSON.parse(await house.client.manage('mmi.majordomus')) as { dropped: { workerUnknown: number; superseded: number } };
    return status.dropped;
  }
});

async function nextCommand(peer: RawPeer, wanted: string): Promise<string[]> {
  for (;;) {
    const frames = await peer.receive();
    if (frames[2]?.toString() === wanted) return frames.map(String);
    await peer.send('', 'MDPW01', '\x04');
  }
}

/** The token of the next request. */
async function nextRequest(peer: RawPeer): Promise<Buffer> {
  for (;;) {
    const frames = await peer.receive();
    if (frames[2]?.toString() === '\x02' && frames[3] !== undefined) return frames[3];
    await peer.send('', 'MDPW01', '\x04');
  }
}
