// Well-formed requests with more in them than is good: bodies at and above the limits, JSON nested deeply. Each is answered, and
// nobody goes down (docs/protocol.md, rules R7, R13, W3). Anything by chance is in e2e/fuzz.
import type { JsonObject } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import { assertNobodyDown, type House } from './house.ts';
import { RawPeer } from './raw-peer.ts';

const maxBodyBytes = 16 * 1024 * 1024;
const maxFrameBytes = 64 * 1024 * 1024;

describe('a house that is sent', () => {
  const home = new Home();
  let house: House;
  let pids: Record<string, number | null>;
  beforeAll(async () => {
    house = await home.up({ plugins: true });
    pids = await house.pids();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  describe('a body', () => {
    /** A `config.set` whose body has exactly so many bytes. */
    const setOf = (bytes: number): { action: string; data: JsonObject } => {
      const action = 'config.set';
      const data = { host: 'igor', plugin: 'large', key: 'text', value: '' };
      return { action, data: { ...data, value: 'x'.repeat(bytes - action.length - JSON.stringify(data).length) } };
    };

    it('at the limit passes, and comes back whole', async () => {
      const { action, data } = setOf(maxBodyBytes);
      expect(await house.client.request('dbmanager', { action, data })).toMatchObject({ data: { status: true } });
      const { data: { value } } = await house.client.request('dbmanager', { action: 'config.get', data: { host: 'igor', plugin: 'large', key: 'text' } });
      expect(value === data['value']).toBe(true);
      await house.client.request('dbmanager', { action: 'config.delete', data: { host: 'igor', plugin: 'large' } });
    });

    it('a byte above the limit is TOO_LARGE', async () => {
      const refused = await house.client.request('dbmanager', setOf(maxBodyBytes + 1)).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'TOO_LARGE', message: `the body has ${maxBodyBytes + 1} bytes; the broker passes on ${maxBodyBytes} at most` });
    });

    it('above the frame’s limit ends the connection of who sent it, and nobody else’s', async () => {
      await using sender = new Client({ endpoint: house.endpoint });
      const ended = await sender.request('dbmanager', setOf(maxFrameBytes + 1000), { timeoutMs: 20_000 }).catch((error: unknown) => error);
      expect(ended).toMatchObject({ code: 'BROKER_LOST' });
      await assertNobodyDown(house, pids);
      expect(await sender.manage('mmi.service', 'dbmanager')).toBe('200');
    });

    it.each([100, 10_000, 1_000_000])('whose JSON is nested %d levels deep is answered', async (levels) => {
      const nested = (inner: string): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
      await using peer = new RawPeer(house.endpoint);
      for (const [service, action, data] of [
        ['dbmanager', 'config.set', `{"host": "igor", "plugin": "deep", "key": "value", "value": ${nested('')}}`],
        ['manager', 'plugin.start', `{"id": ${nested('1')}}`],
        [house.service('diskfree'), 'helper.do', `{"command": "list", "parameters": {"all": ${nested('true')}}}`],
      ] as const) {
        const [, , from, , text] = await peer.ask('', 'MDPC01', service, action, data);
        const reply = JSON.parse(text ?? '') as { status: boolean; code?: string };
        expect([from, reply.status || reply.code]).toEqual([service, expect.toBeOneOf([true, 'BAD_REQUEST', 'INVALID_DATA', 'PARAMETERS_INVALID', 'CONFIG_INVALID'])]);
      }
    });
  });

  it('leaves everybody running', async () => {
    await assertNobodyDown(house, pids);
    for (const part of await house.parts()) expect(part).toMatchObject({ state: 'running', restarts: 0, lastError: '' });
    expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('90\n');
  });
});
