// Well-formed requests with anything in them: bodies at and above the limits, JSON nested deeply, JSON by chance into every
// action of every service. Each is answered, and nobody goes down (docs/protocol.md, rules R7, R13, W3).
import { busCodes, contracts, type Contract, type JsonObject } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import { assertNobodyDown, type House } from './house.ts';
import { RawPeer } from './raw-peer.ts';

const maxBodyBytes = 16 * 1024 * 1024;
const maxFrameBytes = 64 * 1024 * 1024;
/** What the chance is made from: the same in every run. */
const seed = 20_261_122;
const samples = 40;

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
      const ended = await sender.request('dbmanager', setOf(maxFrameBytes + 1000), { timeoutMs: 5000 }).catch((error: unknown) => error);
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

  describe('JSON by chance', () => {
    /** Who answers in this house; an app that somebody runs beside it does not. */
    const hosts: Readonly<Partial<Record<keyof typeof contracts, () => string>>> = {
      dbmanager: () => 'dbmanager',
      manager: () => house.service('manager'),
      packagemanager: () => house.service('packagemanager'),
      plugin: () => house.service('diskfree'),
      house: () => house.service('house'),
    };
    // Asking a plugin to stop is an action that takes anything, and does it.
    const actions = Object.entries(hosts).flatMap(([service, host]) => contracts[service as keyof typeof contracts]
      .filter((one) => service !== 'plugin' || one.action !== 'plugin.stop')
      .map((one): [string, Contract, () => string] => [`${service} ${one.action}`, one, host]));

    it.each(actions)('into %s is answered every time, with a code if it is refused', async (_name, contract, service) => {
      const known = new Set([...Object.keys(busCodes), ...Object.keys(contract.errors)]);
      const bodies = fc.sample(dataOf(contract), { seed, numRuns: samples });
      const replies = await Promise.all(bodies.map(async (data) => {
        const reply = await house.client.request(service(), { action: contract.action, data });
        return { sent: data, reply };
      }));
      for (const { sent, reply } of replies) {
        const told = `${JSON.stringify(sent)}: ${JSON.stringify(reply.data)}`;
        expect(reply.action).toBe(contract.reply);
        const { status, code, reason } = reply.data;
        if (status === true) {
          expect(contract.output.safeParse(reply.data).success, told).toBe(true);
        } else {
          expect({ status, code: known.has(String(code)), reason: typeof reason === 'string' && reason !== '', told }).toEqual({ status: false, code: true, reason: true, told });
          expect(code, told).not.toBe('INTERNAL');
        }
      }
    });

    it('leaves everybody running', async () => {
      await assertNobodyDown(house, pids);
      for (const part of await house.parts()) expect(part).toMatchObject({ state: 'running', restarts: 0, lastError: '' });
      expect(await home.tell('config', 'get', 'diskfree', 'limit')).toBe('90\n');
    });
  });
});

/** What the actions take, by field. */
const fitting: Readonly<Record<string, unknown>> = {
  host: 'igor', plugin: 'velbus', key: 'limit', value: 80, data: { limit: 80 }, type: 'plugin', name: 'velbus', version: '1.0.0', items: {},
  id: 'nobody', source: '/nowhere', waitMs: 0, lines: 5, after: 0, command: 'list', parameters: { all: true }, part: 'broker',
};

/** Fields that fit, that are near to what fits, and any JSON. */
function dataOf({ input }: Contract): fc.Arbitrary<JsonObject> {
  const word = fc.oneof(
    fc.constantFrom('igor', 'velbus', 'nobody', 'limit', '*', '', 'Upper', '__proto__', 'constructor', 'a'.repeat(64), '../x', 'list', 'check', 'broker', '/', '\0', 'ünïcode', '1.0.0'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const number = fc.oneof(fc.integer({ min: -2, max: 2000 }), fc.constantFrom(1e308, -0, 0.5, 2 ** 53, -(2 ** 53)));
  const value = fc.oneof({ weight: 4, arbitrary: word }, { weight: 2, arbitrary: number }, { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) }, { weight: 1, arbitrary: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 })) });
  const fields = new Set([...fieldsOf(input), 'host', 'plugin', 'id', 'type', 'name']);
  const near = fc.record(Object.fromEntries([...fields].map((field) => [field, field in fitting ? fc.oneof(fc.constant(fitting[field]), value) : value])), { requiredKeys: [] });
  return fc.oneof({ weight: 5, arbitrary: near }, { weight: 1, arbitrary: fc.dictionary(word, value) }) as fc.Arbitrary<JsonObject>;
}

/** The names of the fields that an input has, in any of its forms. */
function fieldsOf(schema: Contract['input']): string[] {
  const { shape, options } = schema as { shape?: object; options?: readonly Contract['input'][] };
  return [...Object.keys(shape ?? {}), ...(options ?? []).flatMap(fieldsOf)];
}
