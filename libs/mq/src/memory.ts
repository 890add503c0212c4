// The transport inside one process, for tests and for parts that are hosted together. Order is kept for each connection,
// and nothing is delivered before the sender has returned, as on a real wire.
import { randomBytes } from 'node:crypto';
import type { Outgoing } from './mdp/broker-state.ts';
import type { ToBroker } from './mdp/frames.ts';
import { TransportError, type DealerEvents, type DealerSocket, type RouterEvents, type RouterSocket, type Transport } from './transport.ts';
import { readOutgoing, readToBroker } from './wire.ts';

interface MemoryRouter {
  readonly events: RouterEvents;
  readonly peers: Map<string, MemoryDealer>;
}

class MemoryDealer implements DealerSocket {
  readonly peer = randomBytes(5).toString('latin1');
  readonly events: DealerEvents;
  readonly #network: Map<string, MemoryRouter>;
  readonly #waiting: Map<string, Set<MemoryDealer>>;
  readonly #endpoint: string;
  #router: MemoryRouter | undefined;
  #closed = false;

  constructor(endpoint: string, network: Map<string, MemoryRouter>, waiting: Map<string, Set<MemoryDealer>>, events: DealerEvents) {
    this.#endpoint = endpoint;
    this.#network = network;
    this.#waiting = waiting;
    this.events = events;
    this.attach();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Connects to whoever listens at the endpoint, or waits for one. */
  attach(): void {
    const router = this.#network.get(this.#endpoint);
    if (router === undefined) {
      const waiting = this.#waiting.get(this.#endpoint) ?? new Set();
      this.#waiting.set(this.#endpoint, waiting.add(this));
      return;
    }
    this.#router = router;
    router.peers.set(this.peer, this);
    queueMicrotask(() => {
      if (!this.#closed && this.#router === router) this.events.connected();
    });
  }

  /** The router closed; the connection comes back when another listens there. */
  detach(): void {
    this.#router = undefined;
    queueMicrotask(() => {
      if (!this.#closed) this.events.disconnected();
    });
    queueMicrotask(() => {
      if (!this.#closed) this.attach();
    });
  }

  send(sent: ToBroker): void {
    const router = this.#router;
    queueMicrotask(() => {
      if (router !== undefined && router === this.#network.get(this.#endpoint)) readToBroker(sent, (message) => router.events.message(this.peer, message));
      else if (!this.#closed) this.events.unsendable(sent, 'closed');
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.get(this.#endpoint)?.delete(this);
    const router = this.#router;
    queueMicrotask(() => {
      if (router?.peers.delete(this.peer) === true) router.events.gone(this.peer);
    });
  }
}

/** A network of its own: endpoints are any text, and `*` in one is replaced by a free number. */
export function memoryTransport(): Transport {
  const network = new Map<string, MemoryRouter>();
  const waiting = new Map<string, Set<MemoryDealer>>();
  let lastPort = 0;
  return {
    bind(asked: string, _options, events: RouterEvents): Promise<RouterSocket> {
      lastPort += 1;
      const endpoint = asked.replace(/\*$/, String(lastPort));
      if (network.has(endpoint)) return Promise.reject(new TransportError('ADDRESS_IN_USE', `${endpoint} is in use in this process`));
      const router: MemoryRouter = { events, peers: new Map() };
      network.set(endpoint, router);
      for (const dealer of waiting.get(endpoint) ?? []) dealer.attach();
      waiting.delete(endpoint);
      return Promise.resolve({
        endpoint,
        send(message: Outgoing): void {
          const dealer = router.peers.get(message.peer);
          queueMicrotask(() => {
            if (dealer !== undefined && !dealer.closed && router.peers.has(message.peer)) readOutgoing(message, (arrived) => dealer.events.message(arrived));
            else if (network.get(endpoint) === router) events.unsendable(message);
          });
        },
        close(): void {
          if (network.get(endpoint) !== router) return;
          network.delete(endpoint);
          for (const dealer of router.peers.values()) dealer.detach();
          router.peers.clear();
        },
      });
    },
    connect: (endpoint: string, _options, events: DealerEvents): DealerSocket => new MemoryDealer(endpoint, network, waiting, events),
  };
}
