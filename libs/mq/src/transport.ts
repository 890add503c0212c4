// What carries messages. The machines and the pumps above know nothing else of sockets, so another transport is one more
// file: it sends and receives for a peer, and says connected, disconnected, gone. Messages arrive as they are on the wire, and are
// sent behind a head in wire form (wire.ts goes between that and frames where a transport has those).
import { EndpointError, type Message } from '@majordomus/zmtp';
import type { Outgoing } from './mdp/broker-state.ts';
import type { Unsendable } from './mdp/client.ts';
import type { ToBroker } from './mdp/frames.ts';

/** What the binding side (ROUTER) is told. A message is without the routing id, and says something only until its handler returns. */
export interface RouterEvents {
  message(peer: string, message: Message): void;
  /** More of a message that is not whole has come from a peer: it is not silent (rule R9). Not every transport can tell. */
  alive?(peer: string): void;
  /** The connection of a peer closed; after its last message (rule R10). */
  gone(peer: string): void;
  /** A message could not be sent: the peer is gone, or its queue is full because it does not read. */
  unsendable(message: Outgoing): void;
  /** This side ended a connection for a fault of the peer, and says which; not every transport can tell. */
  ended?(why: string): void;
  /** A connection was closed at once, because there are as many as there may be. */
  full?(): void;
}

/** The binding side: one socket, many peers. */
export interface RouterSocket {
  /** Where it listens, with the port that was chosen when it was told `*` or 0. */
  readonly endpoint: string;
  /** Queues a message, or reports it as unsendable; never waits. */
  send(message: Outgoing): void;
  close(): void;
}

/** What the connecting side (DEALER) is told. A message says something only until its handler returns. */
export interface DealerEvents {
  connected(): void;
  disconnected(): void;
  /** More of a message that is not whole has come: the broker is not silent (rule W1). Not every transport can tell. */
  alive?(): void;
  message(message: Message): void;
  unsendable(message: ToBroker, why: Unsendable): void;
  /** This side ended the connection for a fault of the peer, and says which; not every transport can tell. */
  ended?(why: string): void;
}

/** The connecting side: one connection to one endpoint. After `close` no event comes any more. */
export interface DealerSocket {
  send(message: ToBroker): void;
  close(): void;
}

export interface RouterOptions {
  /** Largest frame; a peer that sends a larger one is disconnected. */
  readonly maxFrameBytes: number;
  /** Most messages that wait for one peer to read them. */
  readonly highWaterMark: number;
  /** Most connections at once; not every transport can bound them. */
  readonly maxConnections?: number;
}

export interface DealerOptions {
  readonly highWaterMark: number;
  /** How long what was sent may still go out after `close`, in milliseconds. */
  readonly lingerMs: number;
}

export interface Transport {
  /** @throws TransportError ADDRESS_IN_USE, ADDRESS_INVALID */
  bind(endpoint: string, options: RouterOptions, events: RouterEvents): Promise<RouterSocket>;
  /** Connects, and again for ever. @throws TransportError ADDRESS_INVALID */
  connect(endpoint: string, options: DealerOptions, events: DealerEvents): DealerSocket;
}

/** An address, or a transport, that cannot be used. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: 'ADDRESS_IN_USE' | 'ADDRESS_INVALID' | 'TRANSPORT_UNKNOWN';

  constructor(code: TransportError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A wrong address in the words of the bus, with what to do; anything else as it is. */
export function transportError(error: unknown, whatToDo: (error: EndpointError) => string = () => ''): unknown {
  return error instanceof EndpointError ? new TransportError(error.code, `${error.message}${whatToDo(error)}`, { cause: error }) : error;
}
