// Any part can be killed at any time: the rest goes on, every call ends, and the house is whole again when it is back
// (docs/architecture.md, "The parts").
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { configGet, configSet, helperDo, helperList, packageList, pluginList, pluginRestart, type Contract, type InputOf } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House, PartName } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { command, writeKitPlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

/** An idempotent call is tried again within this; a part is back in far less. */
const callTimeoutMs = 10_000;
const callersAtOnce = 4;
/** How many calls must end after the house is whole again, so that some began before, in and after the gap. */
const callsAfter = 20;

interface Ask<C extends Contract = Contract> {
  readonly contract: C;
  readonly data: InputOf<C>;
  readonly service: string;
}

describe('a house', () => {
  const home = new Home();
  let house: House;
  /** What the bus offers while the house is whole. */
  let services: string;
  const offered = async (): Promise<string> => (await house.client.manage('mmi.services')).split(', ').sort().join();
  beforeAll(async () => {
    house = await home.up({ plugins: true });
    await home.tell('plugin', 'install', writeKitPlugin(home, 'sitter', {
      commands: { wait: { description: 'Waits', parameters: { begun: { type: 'string', description: 'A file that tells that it began', example: '/tmp/begun', required: true } } } },
      // It would answer after a minute.
      definition: "{ helpers: { wait: async ({ parameters, signal }) => { writeFileSync(parameters.begun, ''); await delay(60_000, undefined, { signal }); return 'too late'; } } }",
    }));
    services = await offered();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  /** Several callers that ask again and again, until they are told to stop; how many calls ended well, and how the others ended. */
  function keepAsking({ contract, data, service }: Ask) {
    const failures: string[] = [];
    let ended = 0;
    const stopping = new AbortController();
    const caller = async (): Promise<void> => {
      await using client = new Client({ endpoint: house.endpoint });
      while (!stopping.signal.aborted) {
        try {
          await client.call(contract, data, { service, timeoutMs: callTimeoutMs });
        } catch (error) {
          failures.push(error instanceof CallError ? `${error.code}: ${error.message}` : String(error));
        }
        ended += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: callersAtOnce }, caller));
    return {
      ended: () => ended,
      stop: async () => {
        stopping.abort();
        await callers;
        return failures;
      },
    };
  }

  const asks: readonly [PartName, () => Ask][] = [
    ['dbmanager', () => ({ contract: configGet, data: { host: house.host, plugin: 'diskfree', key: 'limit' }, service: 'dbmanager' })],
    ['packagemanager', () => ({ contract: packageList, data: {}, service: house.service('packagemanager') })],
    ['manager', () => ({ contract: pluginList, data: {}, service: house.service('manager') })],
    ['broker', () => ({ contract: configGet, data: { host: house.host, plugin: 'diskfree', key: 'limit' }, service: 'dbmgr' })],
  ];

  it.each(asks)('whose %s is killed while clients ask it answers every call, and is whole again', async (part, ask) => {
    const before = await house.pids();
    const asking = keepAsking(ask());
    await untilTrue('the callers are at work', () => asking.ended() > callsAfter);
    const killedMs = performance.now();
    const killed = await house.kill(part);
    await house.untilWhole({ without: [killed] });
    console.info(`${part} killed: the house is whole again after ${Math.round(performance.now() - killedMs)} ms`);
    const sinceWhole = asking.ended();
    await untilTrue('calls are answered as before', () => asking.ended() > sinceWhole + callsAfter);
    expect(await asking.stop()).toEqual([]);
    // A manager takes its plugins with it, and nothing else is started anew.
    const lost = part === 'manager' ? ['manager', 'diskfree', 'sitter'] : [part];
    const after = await house.pids();
    expect(Object.keys(after).filter((name) => after[name] !== before[name]).sort()).toEqual(lost.sort());
    expect((await house.parts()).find(({ name }) => name === part)).toMatchObject({ restarts: 1, lastError: 'killed by SIGKILL' });
  });

  it('whose broker was killed listens where it did, and has all services back', async () => {
    const killed = await house.kill('broker');
    await house.untilWhole({ without: [killed] });
    expect(home.endpoint).toBe(house.endpoint);
    await untilTrue('all services are back', async () => (await offered()) === services);
    expect((await house.client.call(helperList, {}, { service: house.service('diskfree') })).actions).toContain('list');
    await house.client.call(configSet, { host: house.host, plugin: 'velbus', key: 'protocol', value: 'usb' });
    expect(await home.tell('config', 'get', 'velbus', 'protocol')).toBe('usb\n');
  });

  it('whose parts are all killed at once is whole again', async () => {
    const killed = await Promise.all(['broker', 'dbmanager', 'packagemanager', 'manager'].map((part) => house.partPid(part as PartName)));
    for (const pid of killed) killHard(pid);
    await house.untilWhole({ without: killed });
    expect(killed.filter(isRunning)).toEqual([]);
    expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('90\n');
  });

  describe('whose plugin is killed in the middle of a command', () => {
    const service = (): string => house.service('sitter');
    const begun = join(home.root, 'begun');

    /** From the kill to the end of the call, in milliseconds, with how it ended. */
    async function killInTheMiddle(): Promise<{ readonly ms: number; readonly error: unknown }> {
      rmSync(begun, { force: true });
      const pid = await house.pluginPid('sitter');
      const call = house.client.call(helperDo, { command: 'wait', parameters: { begun } }, { service: service(), timeoutMs: 30_000 });
      const ended = call.then(() => undefined, (error: unknown) => error);
      await untilTrue('the command has begun', () => existsSync(begun));
      const killedMs = performance.now();
      killHard(pid);
      const error = await ended;
      const ms = performance.now() - killedMs;
      await house.untilPlugin('sitter', (plugin) => plugin.state === 'running' && plugin.pid !== pid);
      return { ms, error };
    }

    it('answers its caller with WORKER_LOST within 100 ms', async () => {
      const times: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const { ms, error } = await killInTheMiddle();
        expect(error).toMatchObject({ code: 'WORKER_LOST', message: expect.stringMatching(/sitter .*gone; the action may have run/) });
        times.push(ms);
        // Started by hand, so that the kills do not add up to a plugin that has failed.
        await house.client.call(pluginRestart, { id: 'sitter' }, { service: house.service('manager') });
      }
      console.info(`WORKER_LOST after ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`);
      // The best of them: what a busy machine adds is not the house's.
      expect(Math.min(...times)).toBeLessThanOrEqual(100);
    });

    it('is told on the command line by the same code, and exit code 1', async () => {
      rmSync(begun, { force: true });
      const pid = await house.pluginPid('sitter');
      const ran = home.run('call', service(), 'helper.do', JSON.stringify({ command: 'wait', parameters: { begun } }));
      await untilTrue('the command has begun', () => existsSync(begun));
      killHard(pid);
      expect(await ran).toEqual({ code: 1, signal: null, stdout: '', stderr: expect.stringMatching(/^WORKER_LOST: .*\n$/) });
    });

    it('answers nobody else with that, and goes on at once', async () => {
      expect((await house.client.call(helperList, {}, { service: house.service('diskfree') })).actions).toContain('check');
    });
  });

  it('whose house itself is called while its parts come and go never lies about them', async () => {
    const pid = await house.kill('dbmanager');
    await untilTrue('its end is seen', async () => (await house.parts()).every((part) => part.pid !== pid));
    const { state, lastError } = (await house.parts()).find(({ name }) => name === 'dbmanager') ?? {};
    expect(['backoff', 'starting', 'running']).toContain(state);
    expect(lastError).toBe('killed by SIGKILL');
    await house.untilWhole({ without: [pid] });
  });

  it('tells in its terminal what came and went', async () => {
    expect(house.output).toMatch(/WARN: dbmanager ended, and starts again soon: killed by SIGKILL/);
    expect(house.output).toMatch(/^dbmanager +is running$/m);
  });
});

it('a caller in the middle of a call when the house is killed is told that the broker or the worker is lost', async () => {
  await using home = new Home();
  await using house = await home.up();
  await home.tell('plugin', 'install', writeKitPlugin(home, 'sitter', { commands: { wait: command }, definition: "{ helpers: { wait: async ({ signal }) => { console.log('it began'); await delay(60_000, undefined, { signal }); return null; } } }" }));
  const call = house.client.call(helperDo, { command: 'wait' }, { service: house.service('sitter') });
  const ended = call.then(() => undefined, (error: unknown) => error);
  await untilTrue('the command has begun', async () => (await home.tell('plugin', 'log', 'sitter')).includes('it began'));
  killHard(house.up.pid);
  if (house.up.child.exitCode === null && house.up.child.signalCode === null) await once(house.up.child, 'exit');
  // All processes of the house end at once, in no order.
  expect(await ended).toMatchObject({ code: expect.stringMatching(/^(BROKER|WORKER)_LOST$/) as string });
  await home.assertNothingLeft(2000);
});
