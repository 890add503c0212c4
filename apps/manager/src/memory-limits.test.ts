// Whose word counts for the memory limit of a plugin, with a worker on a real bus in the place of dbmanager.
import { configGet, refuse, type JsonValue } from '@majordomus/contracts';
import { Broker, Client, Handlers, Worker } from '@majordomus/mq';
import { createLog } from '@majordomus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heapLimitMb, MemoryLimits } from './memory-limits.ts';

const defaultMb = 512;

describe('the memory limit of a plugin', () => {
  let parts: AsyncDisposableStack;
  let set: Record<string, JsonValue>;
  let answers: boolean;
  let warnings: string[];
  let limits: MemoryLimits;

  beforeEach(async () => {
    parts = new AsyncDisposableStack();
    set = {};
    answers = true;
    warnings = [];
    const { endpoint } = parts.use(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' }));
    const handlers = new Handlers().on(configGet, ({ host, plugin }) => {
      if (!answers) throw refuse(configGet, 'STORAGE_ERROR', 'the disk is gone');
      return plugin === 'manager' ? { host, plugin, data: set, defaults: [] } : { host, plugin, data: {}, defaults: [] };
    });
    parts.use(new Worker({ endpoint, service: 'dbmanager', handlers }).start());
    const client = parts.use(new Client({ endpoint }));
    const log = createLog('manager', 'warn', true, (_text, entry) => warnings.push((JSON.parse(entry) as { msg: string }).msg));
    limits = new MemoryLimits({ host: 'igor', client, log, defaultMb });
  });
  afterEach(() => parts.disposeAsync());

  it("is that of all, else its manifest's, else what a person has set, of whom 0 is none", async () => {
    set = { 'memory-limit-mb.lamp': 300, 'memory-limit-mb.free': 0, 'autostart.lamp': true };
    await limits.read();
    expect(limits.limitMb({ name: 'other' })).toBe(defaultMb);
    expect(limits.limitMb({ name: 'other', memoryMb: 64 })).toBe(64);
    expect(limits.limitMb({ name: 'lamp', memoryMb: 64 })).toBe(300);
    expect(limits.limitMb({ name: 'free', memoryMb: 64 })).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('is what was known while dbmanager does not answer', async () => {
    set = { 'memory-limit-mb.lamp': 300 };
    await limits.read();
    answers = false;
    await limits.read();
    expect(limits.limitMb({ name: 'lamp' })).toBe(300);
  });

  it('is not what is no limit, which is told', async () => {
    set = { 'memory-limit-mb.lamp': 'lots' };
    await limits.read();
    expect(limits.limitMb({ name: 'lamp', memoryMb: 64 })).toBe(64);
    expect(warnings).toEqual(['memory-limit-mb.lamp of manager in the configuration is ignored: it must be a whole number of MiB, 16 at least, or 0 for no limit']);
  });

  it('leaves room beside the heap of Node, and half of a small limit to it', () => {
    expect([64, 128, 256, 512, 1024].map(heapLimitMb)).toEqual([32, 64, 128, 384, 896]);
  });
});
