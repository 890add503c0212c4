// The transport over libzmq, and the only import of its binding; loaded only where it is asked for. `sendTimeout: 0` makes each send synchronous: it takes the
// message or refuses it. ZMTP heartbeats find a stopped host or a cut line (docs/protocol.md, rules R10, R13, C4).
import { Buffer } from 'node:buffer';
import { parseRemoteEndpoint } from '@majordomus/zmtp';
import { Dealer, Router, type Socket } from 'zeromq';
import type { Outgoing } from './mdp/broker-state.ts';
import type { Frames, ToBroker } from './mdp/frames.ts';
import { TransportError, transportError, type DealerEvents, type DealerOptions, type DealerSocket, type RouterEvents, type RouterOptions, type RouterSocket, type Transport } from './transport.ts';
import { framesOf, framesToBroker, readAsMessage } from './wire.ts';

/** ZMQ_ROUTER_NOTIFY, which the binding has no property for; 2 asks for disconnections. */
const routerNotifyOption = 97;
const notifyDisconnect = 2;
const maxPort = 65_535;
const connectTimeoutMs = 3000;
const handshakeLimitMs = 5000;

/** A ROUTER that delivers the closing of a connection as a message of the routing id and one empty frame (rule R10). */
class NotifyingRouter extends Router {
  notifyOfDisconnects(): void {
    this.setInt32Option(routerNotifyOption, notifyDisconnect);
  }
}

class ZeromqRouter implements RouterSocket {
  readonly #socket: NotifyingRouter;
  readonly #events: RouterEvents;
  readonly endpoint: string;

  constructor(socket: NotifyingRouter, events: RouterEvents) {
    this.#socket = socket;
    this.#events = events;
    this.endpoint = socket.lastEndpoint ?? '';
    receiveForEver(socket, (frames) => {
      const id = frames.shift();
      if (id === undefined) return;
      const peer = id.toString('latin1');
      if (frames.length === 1 && frames[0]?.length === 0) this.#events.gone(peer);
      else if (frames.length > 0) readAsMessage(frames, (message) => this.#events.message(peer, message));
    });
  }

  send(message: Outgoing): void {
    this.#socket.send([Buffer.from(message.peer, 'latin1'), ...framesOf(message)]).catch(() => {
      if (!this.#socket.closed) this.#events.unsendable(message);
    });
  }

  close(): void {
    this.#socket.close();
  }
}

class ZeromqDealer implements DealerSocket {
  readonly #socket: Dealer;
  readonly #events: DealerEvents;

  constructor(endpoint: string, options: DealerOptions, events: DealerEvents) {
    checkRemote(endpoint);
    this.#socket = newDealer(options);
    this.#events = events;
    this.#socket.events.on('handshake', () => {
      if (!this.#socket.closed) events.connected();
    });
    this.#socket.events.on('disconnect', () => {
      if (!this.#socket.closed) events.disconnected();
    });
    this.#socket.connect(endpoint);
    receiveForEver(this.#socket, (frames) => readAsMessage(frames, (message) => this.#events.message(message)));
  }

  send(message: ToBroker): void {
    this.#socket.send(framesToBroker(message)).catch(() => {
      if (!this.#socket.closed) this.#events.unsendable(message, 'closed');
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** libzmq takes some addresses that nothing can be at, and connects to nobody. @throws TransportError ADDRESS_INVALID */
function checkRemote(endpoint: string): void {
  try {
    parseRemoteEndpoint(endpoint);
  } catch (error) {
    throw transportError(error);
  }
}

function newDealer({ highWaterMark, lingerMs }: DealerOptions): Dealer {
  return new Dealer({
    linger: lingerMs,
    immediate: true,
    sendTimeout: 0,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
    heartbeatInterval: 1000,
    heartbeatTimeout: 5000,
    heartbeatTimeToLive: 5000,
    reconnectInterval: 100,
    reconnectMaxInterval: 2000,
    // Over a cut line the kernel would try for minutes, ever more slowly, and find a line that is back only then.
    connectTimeout: connectTimeoutMs,
    // The same where a tunnel or a forwarder takes the connection, and its other end is not there.
    handshakeInterval: handshakeLimitMs,
  });
}

/** Reads one message after the other until the socket closes; what was read in the moment of closing is left alone. */
function receiveForEver(socket: Socket & { receive(): Promise<Buffer[]> }, take: (frames: Frames) => void): void {
  const failed = (error: unknown): void => {
    if (!socket.closed) throw error;
  };
  const step = (frames: Frames): void => {
    if (socket.closed) return;
    take(frames);
    if (!socket.closed) socket.receive().then(step, failed);
  };
  socket.receive().then(step, failed);
}

export const zeromqTransport: Transport = {
  async bind(endpoint: string, { maxFrameBytes, highWaterMark }: RouterOptions, events: RouterEvents): Promise<RouterSocket> {
    // libzmq takes the port modulo 65536, and would listen where nobody looks.
    if (Number(/:(\d+)$/.exec(endpoint)?.[1] ?? 0) > maxPort) throw bindError(endpoint, 'there is no such port');
    const socket = new NotifyingRouter({
      linger: 0,
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: highWaterMark,
      receiveHighWaterMark: highWaterMark,
      maxMessageSize: maxFrameBytes,
      tcpKeepalive: 1,
    });
    socket.notifyOfDisconnects();
    try {
      await socket.bind(endpoint);
    } catch (cause) {
      socket.close();
      throw bindError(endpoint, cause);
    }
    return new ZeromqRouter(socket, events);
  },

  connect: (endpoint: string, options: DealerOptions, events: DealerEvents): DealerSocket => new ZeromqDealer(endpoint, options, events),
};

function bindError(endpoint: string, cause: unknown): TransportError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === 'EADDRINUSE'
    ? new TransportError('ADDRESS_IN_USE', `${endpoint} is in use by another program; stop it, or choose another address with --bind`, { cause })
    : new TransportError('ADDRESS_INVALID', `cannot listen on ${endpoint} (${code || String(cause)}); choose another address with --bind`, { cause });
}
