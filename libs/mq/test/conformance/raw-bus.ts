// A broker of ours with raw peers around it, and the few sentences that the suites speak with.
import { expect } from 'vitest';
import { Broker, type BrokerLimits, type BrokerOptions } from '../../src/index.ts';
import { type RawPeer, type Text, type Wire } from './wire.ts';

export interface RawBus extends AsyncDisposable {
  readonly broker: Broker;
  /** A peer that has said nothing yet. */
  peer(): RawPeer;
  /** A worker that the broker has registered; a plain one without `capacity`. */
  worker(service: string, capacity?: string, epoch?: string): Promise<RawPeer>;
}

export async function openBus(wire: Wire, limits: Partial<BrokerLimits> = {}, options: Partial<BrokerOptions> = {}): Promise<RawBus> {
  const broker = await Broker.bind({ endpoint: wire.anyEndpoint, transport: wire.transport, limits, ...options });
  const peers: RawPeer[] = [];
  const peer = (): RawPeer => {
    const opened = wire.connect(broker.endpoint);
    peers.push(opened);
    return opened;
  };
  return {
    broker,
    peer,
    async worker(service: string, capacity?: string, epoch?: string): Promise<RawPeer> {
      const worker = ready(peer(), service, capacity, epoch);
      await worker.expectNothing();
      return worker;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const opened of peers) opened.close();
      await broker.close();
    },
  };
}

/** Says READY, and waits for nothing. */
export function ready(peer: RawPeer, service: string, capacity?: string, epoch?: string): RawPeer {
  peer.send('', 'MDPW01', '\x01', service, ...[capacity, epoch].filter((frame) => frame !== undefined));
  return peer;
}

/** A request that a worker was given. */
export interface TakenRequest {
  readonly token: string;
  readonly body: Text;
}

/** The next message of a worker, which must be a REQUEST in the form that the wire promises. */
export async function takeRequest(worker: RawPeer): Promise<TakenRequest> {
  const [empty, header, command, token, end, ...body] = await worker.receive();
  expect([empty, header, command, end], 'a REQUEST to a worker').toEqual(['', 'MDPW01', '\x02', '']);
  return { token: token ?? '', body };
}

export function reply(worker: RawPeer, token: string, ...body: Text): void {
  worker.send('', 'MDPW01', '\x03', token, '', ...body);
}

/** A request in the plain dialect, without address frames. */
export function ask(client: RawPeer, service: string, ...body: Text): void {
  client.send('', 'MDPC01', service, ...body);
}

/** A request under a correlation id, in the timed dialect. */
export function askTimed(client: RawPeer, id: string, service: string, timeout: string, ...body: Text): void {
  client.send(id, '', 'MDPC01', service, timeout, ...body);
}

export interface Refusal {
  readonly address: Text;
  readonly service: string;
  readonly code: string;
}

/** The next message of a client, which must be the broker's own mq.error in the form of rule R7. */
export async function takeRefusal(client: RawPeer): Promise<Refusal> {
  const message = await client.receive();
  const end = message.indexOf('');
  const [header, service, action, data = '', ...more] = message.slice(end + 1);
  expect([header, action, more], 'an mq.error to a client').toEqual(['MDPC01', 'mq.error', []]);
  const { status, code, reason, ...rest } = JSON.parse(data) as Record<string, unknown>;
  expect({ status, rest }).toEqual({ status: false, rest: {} });
  expect(reason, 'the reason is a sentence').toMatch(/.{10,}/);
  return { address: message.slice(0, end), service: service ?? '', code: String(code) };
}

/** The answer of the management interface. */
export async function manage(peer: RawPeer, name: string, ...body: Text): Promise<string> {
  peer.send('mmi', '', 'MDPC01', name, ...body);
  const [id, empty, header, service, answer, ...more] = await peer.receive();
  expect([id, empty, header, service, more], 'an answer of the management interface').toEqual(['mmi', '', 'MDPC01', name, []]);
  return answer ?? '';
}
