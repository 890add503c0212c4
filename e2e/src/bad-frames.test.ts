// Frames of every kind, from peers that keep no rule: dropped and counted, or answered, and nobody goes down
// (docs/protocol.md, rules R1, R7, R11 to R13, W3). Anything by chance is in e2e/fuzz.
import type { BrokerStatus, DropKind } from '@majordomus/mq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import { assertNobodyDown, type House } from './house.ts';
import { RawPeer, type Part } from './raw-peer.ts';
import { untilTrue } from './waiting.ts';

const client = 'MDPC01';
const worker = 'MDPW01';
const disconnect = ['', worker, '\u0005'];

describe('frames', () => {
  const home = new Home();
  let house: House;
  let pids: Record<string, number | null>;
  beforeAll(async () => {
    house = await home.up({ plugins: true });
    pids = await house.pids();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const brokerStatus = async (): Promise<BrokerStatus> => JSON.parse(await house.client.manage('mmi.majordomus')) as BrokerStatus;

  it.each<[string, readonly Part[], DropKind]>([
    ['one frame that says nothing', ['hello'], 'malformed'],
    ['an empty frame and nothing', ['', ''], 'malformed'],
    ['no dialect', ['', 'hello'], 'malformed'],
    ['a dialect of another version', ['', 'MDPC02', 'dbmanager', 'config.list', '{}'], 'malformed'],
    ['a client without a service', ['', client], 'malformed'],
    ['a client without the empty frame', [client, 'dbmanager', 'config.list', '{}'], 'malformed'],
    ['an address of nine frames', [...Array.from({ length: 9 }, (_, index) => String(index)), '', client, 'dbmanager', 'config.list', '{}'], 'malformed'],
    ['an address of more than 1 KiB', ['x'.repeat(1025), '', client, 'dbmanager', 'config.list', '{}'], 'malformed'],
    ['a worker without a command', ['', worker], 'malformed'],
    ['a hundred frames that say nothing', Array.from({ length: 100 }, () => 'x'), 'malformed'],
  ])('%s are dropped and counted', async (_what, parts, kind) => {
    const before = (await brokerStatus()).dropped[kind];
    await using peer = new RawPeer(house.endpoint);
    await peer.send(...parts);
    await untilTrue('it is counted', async () => (await brokerStatus()).dropped[kind] === before + 1);
  });

  it.each<[string, readonly Part[]]>([
    ['an unknown command', ['', worker, '\u0009']],
    ['a command of two bytes', ['', worker, '\u0001\u0001', 'velbus']],
    ['READY without a service', ['', worker, '\u0001']],
    ['READY for no name', ['', worker, '\u0001', '']],
    ['READY for a name of 256 bytes', ['', worker, '\u0001', 'x'.repeat(256)]],
    ['READY for a name of the broker', ['', worker, '\u0001', 'mmi.service']],
    ['REPLY of one that is not registered', ['', worker, '\u0003', 'token', '', 'config.result', '{}']],
    ['REPLY without an envelope', ['', worker, '\u0003']],
    ['HEARTBEAT of one that is not registered', ['', worker, '\u0004']],
  ])('%s is answered with DISCONNECT', async (_what, parts) => {
    await using peer = new RawPeer(house.endpoint);
    expect(await peer.ask(...parts)).toEqual(disconnect);
  });

  it('a second READY is answered with DISCONNECT, and its service is gone', async () => {
    await using peer = new RawPeer(house.endpoint);
    await peer.send('', worker, '\u0001', 'twice', '0x10');
    await untilTrue('it is registered', async () => (await house.client.manage('mmi.service', 'twice')) === '200');
    await peer.send('', worker, '\u0001', 'twice');
    for (let reply: string[] = []; reply.join() !== disconnect.join();) reply = (await peer.receive()).map((frame) => frame.toString());
    expect(await house.client.manage('mmi.service', 'twice')).toBe('404');
  });

  it('a reply to what it was not asked reaches nobody', async () => {
    await using peer = new RawPeer(house.endpoint);
    await peer.send('', worker, '\u0001', 'liar', '4');
    await untilTrue('it is registered', async () => (await house.client.manage('mmi.service', 'liar')) === '200');
    const before = (await brokerStatus()).dropped.replyNotOpen;
    await peer.send('', worker, '\u0003', 'any token', '', 'config.result', '{"status": true}');
    await untilTrue('it is counted', async () => (await brokerStatus()).dropped.replyNotOpen === before + 1);
  });

  it.each<[string, readonly Part[], string, string]>([
    ['no service name', ['', client, '', 'config.list', '{}'], '', 'BAD_REQUEST'],
    ['a service name of 256 bytes', ['', client, 'x'.repeat(256), 'config.list', '{}'], 'x'.repeat(255), 'BAD_REQUEST'],
    ['no body', ['', client, 'dbmanager'], 'dbmanager', 'BAD_REQUEST'],
    ['an empty action', ['', client, 'dbmanager', '', '{}'], 'dbmanager', 'BAD_REQUEST'],
    ['no data but a timeout, which is an action then', ['', client, 'dbmanager', '5.0'], 'dbmanager', 'ACTION_UNKNOWN'],
    ['an action that is no UTF-8', ['', client, 'dbmanager', Buffer.from([0xff, 0xfe]), '{}'], 'dbmanager', 'ACTION_UNKNOWN'],
    ['three frames of body', ['', client, 'dbmanager', 'config.list', '{}', '{}'], 'dbmanager', 'BAD_REQUEST'],
    ['a thousand frames of body', ['', client, 'dbmanager', ...Array.from({ length: 1000 }, () => 'config.list')], 'dbmanager', 'BAD_REQUEST'],
    ['data that is no JSON', ['', client, 'dbmanager', 'config.list', '{'], 'dbmanager', 'BAD_REQUEST'],
    ['data that is no UTF-8', ['', client, 'dbmanager', 'config.list', Buffer.from([0x7b, 0xff, 0x7d])], 'dbmanager', 'BAD_REQUEST'],
    ...['null', 'true', '3', '"text"', '[]', '[{}]'].map((data): [string, readonly Part[], string, string] => [`${data} for data`, ['', client, 'dbmanager', 'config.list', data], 'dbmanager', 'BAD_REQUEST']),
    ['data that does not fit', ['', client, 'dbmanager', 'config.get', '{"host": 3}'], 'dbmanager', 'INVALID_DATA'],
  ])('a request with %s is answered with a code', async (_what, parts, service, code) => {
    await using peer = new RawPeer(house.endpoint);
    const [empty, dialect, from, action, data] = await peer.ask(...parts);
    expect([empty, dialect, from]).toEqual(['', client, service]);
    expect(action).toMatch(/^(mq\.error|config\.result)$/);
    expect(JSON.parse(data ?? '')).toMatchObject({ status: false, code, reason: expect.stringMatching(/./) });
  });

  it.each<[string, string, readonly Part[]]>([
    ['mmi.service', '404', []], ['mmi.service', '404', ['']], ['mmi.service', '404', ['nobody']], ['mmi.service', '200', ['dbmanager']],
    ['mmi.workers', '0', ['nobody']], ['mmi.nothing', '501', ['x']], ['mmi.', '501', []],
  ])('%s says %s to %j', async (service, answer, body) => {
    await using peer = new RawPeer(house.endpoint);
    expect(await peer.ask('', client, service, ...body)).toEqual(['', client, service, answer]);
  });

  it('have lost nothing and nobody in the end', async () => {
    await assertNobodyDown(house, pids);
    for (const part of await house.parts()) expect(part).toMatchObject({ state: 'running', restarts: 0, lastError: '' });
    expect(await home.tell('services')).toMatch(/^dropped \d+ × not an MDP message$/m);
  });
});
