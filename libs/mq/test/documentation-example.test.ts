// The example of Domogik's documentation, "Example plugin requests config on dbmanager", frame by frame on a real wire:
// our client in its plain dialect, our broker, and a recorder on each side of it that changes nothing.
import { configGet } from '@majordomus/contracts';
import { Dealer, Router } from 'zeromq';
import { describe, expect, it } from 'vitest';
import { Broker, Client, Handlers, Worker } from '../src/index.ts';
import { openBus, ready, takeRequest } from './conformance/raw-bus.ts';
import { toText, type Text } from './conformance/wire.ts';
import { zeromqWire } from './conformance/zeromq-wire.ts';

/** Stands between one peer and the broker, passes everything on, and writes down what it saw. */
async function recorder(brokerEndpoint: string): Promise<{ readonly endpoint: string; readonly up: Text[]; readonly down: Text[] } & Disposable> {
  const front = new Router({ linger: 0 });
  const back = new Dealer({ linger: 0 });
  await front.bind('tcp://127.0.0.1:*');
  back.connect(brokerEndpoint);
  const [up, down]: [Text[], Text[]] = [[], []];
  let peer: Buffer = Buffer.alloc(0);
  void (async () => {
    for await (const [id = peer, ...frames] of front) {
      peer = id;
      up.push(toText(frames));
      await back.send(frames);
    }
  })();
  void (async () => {
    for await (const frames of back) {
      down.push(toText(frames));
      await front.send([peer, ...frames]);
    }
  })();
  return {
    endpoint: front.lastEndpoint ?? '',
    up,
    down,
    [Symbol.dispose]() {
      front.close();
      back.close();
    },
  };
}

const question = '{"host":"igor","plugin":"velbus","key":"protocol"}';

describe('the documentation’s example', () => {
  it('a raw worker sees the documented packets, and the client gets the documented reply', async () => {
    await using bus = await openBus(zeromqWire);
    using clientSide = await recorder(bus.broker.endpoint);
    const dbmanager = ready(bus.peer(), 'dbmanager');
    await using client = new Client({ endpoint: clientSide.endpoint, dialect: 'rfc' });
    const reply = client.request('dbmanager', { action: 'config.get', data: { host: 'igor', plugin: 'velbus', key: 'protocol' } });

    const { token, body } = await takeRequest(dbmanager);
    expect(body).toEqual(['config.get', question]);
    expect(token).not.toBe('');
    const data = '{"status": true, "reason": "", "host": "igor", "plugin": "velbus", "key": "protocol", "value": "usb"}';
    dbmanager.send('', 'MDPW01', '\x03', token, '', 'config.result', data);

    expect(await reply).toEqual({ action: 'config.result', data: { status: true, reason: '', host: 'igor', plugin: 'velbus', key: 'protocol', value: 'usb' } });
    expect(clientSide.up).toEqual([['', 'MDPC01', 'dbmanager', 'config.get', question]]);
    expect(clientSide.down).toEqual([['', 'MDPC01', 'dbmanager', 'config.result', data]]);
  });

  it('our own worker sends the documented packets', async () => {
    await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
    using clientSide = await recorder(broker.endpoint);
    using workerSide = await recorder(broker.endpoint);
    const handlers = new Handlers().on(configGet, ({ host, plugin, key }) => ({ host, plugin, key: key ?? '', value: 'usb' }));
    await using worker = new Worker({ endpoint: workerSide.endpoint, service: 'dbmanager', handlers }).start();
    await worker.registered();
    await using client = new Client({ endpoint: clientSide.endpoint, dialect: 'rfc' });
    expect(await client.call(configGet, { host: 'igor', plugin: 'velbus', key: 'protocol' })).toEqual({ host: 'igor', plugin: 'velbus', key: 'protocol', value: 'usb' });

    const data = '{"status":true,"reason":"","host":"igor","plugin":"velbus","key":"protocol","value":"usb"}';
    const token = workerSide.down[0]?.[3] ?? '';
    expect(token).not.toBe('');
    expect(clientSide.up).toEqual([['', 'MDPC01', 'dbmanager', 'config.get', question]]);
    expect(workerSide.up[0]).toEqual(['', 'MDPW01', '\x01', 'dbmanager']);
    expect(workerSide.down).toEqual([['', 'MDPW01', '\x02', token, '', 'config.get', question]]);
    expect(workerSide.up[1]).toEqual(['', 'MDPW01', '\x03', token, '', 'config.result', data]);
    expect(clientSide.down).toEqual([['', 'MDPC01', 'dbmanager', 'config.result', data]]);
  });
});
