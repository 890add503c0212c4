// Whether a house is whole: every part and plugin runs, every service is on the bus, and a write, a read and a command of each
// plugin succeed. It asks until that is so.
import { configGet, configSet, helperDo, helperList, hostService, partList, pluginList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { setTimeout as delay } from 'node:timers/promises';
import { plugins } from './schedule.ts';
import { judgeTime, excusedMs, type Verdict, type WaitedSince } from './waits.ts';

const askTimeoutMs = 1000;
const pollMs = 50;

export interface Wholeness {
  /** Null if it did not become whole. */
  readonly afterMs: number | null;
  readonly verdict: Verdict;
  /** Meanwhile, the longest wait of one process for a processor. */
  readonly waitedMs: number;
  /** What was missing last. */
  readonly missing: string;
}

export interface WholenessOptions {
  readonly endpoint: string;
  readonly host: string;
  readonly limitMs: number;
  readonly waitedSince: WaitedSince;
}

/** Given up when no excuse is left (waits.ts). */
export async function untilWhole({ endpoint, host, limitMs, waitedSince }: WholenessOptions): Promise<Wholeness> {
  await using client = new Client({ endpoint });
  const startMs = performance.now();
  for (;;) {
    // A house that is found whole was so when it was asked.
    const askedMs = performance.now() - startMs;
    const missing = await whatIsMissing(client, host);
    const waited = waitedSince(startMs);
    const isWhole = missing === '';
    if (isWhole || askedMs > excusedMs(limitMs, waited.longestMs)) return { afterMs: isWhole ? askedMs : null, verdict: judgeTime(askedMs, limitMs, waited), waitedMs: waited.longestMs, missing };
    await delay(pollMs);
  }
}

async function whatIsMissing(client: Client, host: string): Promise<string> {
  const on = (service: string) => ({ service: hostService(host, service), timeoutMs: askTimeoutMs });
  try {
    const { parts } = await client.call(partList, {}, on('house'));
    const known = [...parts, ...(await client.call(pluginList, {}, on('manager'))).plugins];
    const down = known.find(({ state }) => state !== 'running');
    if (down !== undefined) return `${down.name} is ${down.state}: ${down.reason}`;
    const services = (await client.manage('mmi.services', '', { timeoutMs: askTimeoutMs })).split(', ');
    const wanted = ['dbmanager', 'dbmgr', 'admin', 'manager', 'packagemanager', 'house', ...['manager', 'packagemanager', 'house', ...plugins].map((name) => hostService(host, name))];
    const absent = wanted.find((service) => !services.includes(service));
    if (absent !== undefined) return `${absent} is not on the bus`;
    const owner = { host, plugin: 'chaos-whole' };
    const value = Math.round(performance.now());
    await client.call(configSet, { ...owner, key: 'probe', value }, { timeoutMs: askTimeoutMs });
    const read = await client.call(configGet, { ...owner, key: 'probe' }, { timeoutMs: askTimeoutMs });
    if (!('value' in read) || read.value !== value) return 'a value that was just written reads otherwise';
    await Promise.all(plugins.map((name) => client.call(helperList, {}, on(name))));
    await client.call(helperDo, { command: 'count', parameters: { id: `whole-${performance.now()}` } }, on('tally'));
    await client.call(helperDo, { command: 'read' }, on('sysload'));
    return '';
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}
