// A house of two hosts on a network of their own whose cable is pulled: nothing is closed, nothing answers, and each side
// finds out by itself within a few seconds (docs/protocol.md, rules R9, R10, W1, C4; docs/operating.md, "Two hosts").
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ran, Started } from './domus.ts';
import { Home } from './home.ts';
import { Network } from './network.ts';
import { isRunning } from './processes.ts';
import { until, untilTrue } from './waiting.ts';

const whyNot = process.env['CI'] === 'true' ? undefined : Network.whyNot();

/** Silence is noticed after 5 s (rules R9, R10, W1); the rest is for a busy machine. */
const noticedMs = 12_000;
/** A connection is tried again at the latest after 2 s, and each try ends after 3 s. */
const backMs = 12_000;

describe.skipIf(whyNot !== undefined)(`a house of two hosts whose cable is pulled${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  const igorHome = new Home();
  const atticHome = new Home();
  let network: Network;
  let igor: Started;
  let attic: Started;
  let diskfreePid: number;

  const atIgor = (...args: readonly string[]): Promise<Ran> => network.run(network.hosts[0], '--home', igorHome.folder, ...args);
  const atAttic = (...args: readonly string[]): Promise<Ran> => network.run(network.hosts[1], '--home', atticHome.folder, ...args);
  const output = (up: Started): string => up.stdout() + up.stderr();
  const untilReady = async (up: Started): Promise<void> => untilTrue('it is ready', () => up.stdout().includes('is ready after'), { limitMs: 30_000, describe: () => output(up) });
  const pidAtIgor = async (): Promise<number | undefined> => {
    const { code, stdout } = await atIgor('plugin', 'list', '--host', 'attic', '--json');
    return code === 0 ? (JSON.parse(stdout) as readonly { readonly pid: number }[])[0]?.pid : undefined;
  };
  /** Waits until the joined host has said it once more. */
  const saidAgain = (pattern: RegExp, limitMs: number): (() => Promise<void>) => {
    const count = (): number => output(attic).match(new RegExp(pattern, 'gm'))?.length ?? 0;
    const before = count();
    return () => untilTrue(`the joined host says ${pattern.source}`, () => count() > before, { limitMs, describe: () => output(attic) });
  };
  const ask = ['call', 'attic.diskfree', 'helper.do', '{"command": "list"}', '--timeout'] as const;

  beforeAll(async () => {
    network = new Network();
    const [first, second] = network.hosts;
    igor = network.start(first, '--home', igorHome.folder, 'up', '--host', 'igor', '--no-plugins', '--bind', `tcp://${first.address}:*`);
    await untilReady(igor);
    attic = network.start(second, '--home', atticHome.folder, 'up', '--host', 'attic', '--join', igorHome.endpoint);
    await untilReady(attic);
    diskfreePid = await until('attic.diskfree runs', pidAtIgor);
  });
  afterAll(async () => {
    for (const up of [attic, igor]) up?.child.kill('SIGTERM');
    await Promise.all([attic?.ended, igor?.ended]);
    await network?.[Symbol.asyncDispose]();
    await atticHome[Symbol.asyncDispose]();
    await igorHome[Symbol.asyncDispose]();
  });

  it('warned, when it was bound to its own address, that the bus has no authentication', () => {
    expect(output(igor)).toMatch(/WARN: the bus has no authentication: whoever reaches tcp:\/\/192\.0\.2\.1:\d+ can run code on this host/);
  });

  it('answers across the cable', async () => {
    expect(await atIgor(...ask, '5')).toMatchObject({ code: 0, stdout: expect.stringContaining('"command": "list"') as string });
  });

  it('ends calls with a code within their time, on both sides, and says what is missing', async () => {
    const toldNotReady = saidAgain(/manager is not ready: the broker at tcp:\S+ does not answer; the plugins go on/, noticedMs);
    network.cable(network.hosts[0], false);
    // Nobody has noticed yet, unless it took this machine five seconds to come so far. The broker says it, or else the client itself.
    const [fromIgor, fromAttic] = await Promise.all([atIgor(...ask, '2'), atAttic('call', 'dbmanager', 'config.list', '--timeout', '2')]);
    expect(fromIgor).toMatchObject({ code: 1, stderr: expect.stringMatching(/^(DEADLINE_EXCEEDED: .*\battic\.diskfree\b.* within \d+ ms|WORKER_LOST: )/) as string });
    expect(fromAttic).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_CONNECTED: the house at tcp:\S+, which attic has joined, does not answer/) as string });
    await toldNotReady();
    const status = await until('the primary host says so', async () => {
      const { stdout } = await atIgor('status');
      return /^attic: does not answer: it is not on the bus/m.test(stdout) ? stdout : undefined;
    }, { limitMs: noticedMs });
    expect(status).toMatch(/^igor: Majordomus/);
    expect(isRunning(diskfreePid)).toBe(true);
  });

  it('is whole by itself when the cable is in again, with the plugin that went on', async () => {
    const toldRunning = saidAgain(/^manager +is running$/, backMs);
    const pluggedMs = performance.now();
    network.cable(network.hosts[0], true);
    expect(await until('attic is there', pidAtIgor, { limitMs: backMs })).toBe(diskfreePid);
    console.info(`the cable is in again: whole after ${Math.round(performance.now() - pluggedMs)} ms`);
    expect(await atIgor(...ask, '5')).toMatchObject({ code: 0 });
    expect(await atAttic('config', 'list')).toMatchObject({ code: 0 });
    await toldRunning();
  });
});
