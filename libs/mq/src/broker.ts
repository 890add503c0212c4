// The broker on the bus: the machine of mdp/broker.ts with a ROUTER socket and its one timer.
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { BrokerMachine } from './mdp/broker.ts';
import { defaultBrokerLimits, type BrokerLimits, type BrokerStatus } from './mdp/broker-state.ts';
import { Pump } from './pump.ts';
import type { RouterSocket, Transport } from './transport.ts';
import { defaultTransport } from './default-transport.ts';

export interface BrokerOptions {
  /** Where it listens; port `*` or 0 for any free one. */
  readonly endpoint: string;
  readonly limits?: Partial<BrokerLimits>;
  readonly transport?: Transport;
  /** Told why a connection was ended for a fault of the peer; as often as that happens. */
  readonly onConnectionEnded?: (why: string) => void;
}

export class Broker implements AsyncDisposable {
  readonly #machine: BrokerMachine;
  readonly #pump: Pump;
  #socket: RouterSocket | undefined;

  private constructor(limits: Partial<BrokerLimits>) {
    this.#machine = new BrokerMachine(randomBytes(8), performance.now(), limits);
    this.#pump = new Pump(() => performance.now(), () => this.#machine.deadlineMs, () => {
      this.#machine.tick(performance.now());
      this.#flush();
    });
  }

  /** Listens. @throws TransportError ADDRESS_IN_USE, ADDRESS_INVALID */
  static async bind({ endpoint, limits = {}, transport = defaultTransport(), onConnectionEnded }: BrokerOptions): Promise<Broker> {
    const broker = new Broker(limits);
    const { maxFrameBytes, maxOpenPerClient, maxCapacity, maxConnections } = { ...defaultBrokerLimits, ...limits };
    broker.#socket = await transport.bind(endpoint, { maxFrameBytes, highWaterMark: Math.max(1000, maxOpenPerClient, maxCapacity), maxConnections }, {
      message: (peer, message) => {
        broker.#pump.read();
        broker.#machine.receive(peer, message, performance.now());
        broker.#flush();
      },
      alive: (peer) => {
        broker.#pump.read();
        broker.#machine.alive(peer, performance.now());
        broker.#flush();
      },
      gone: (peer) => {
        broker.#machine.gone(peer, performance.now());
        broker.#flush();
      },
      ended: (why) => {
        broker.#machine.connectionEnded();
        onConnectionEnded?.(why);
      },
      full: () => broker.#machine.connectionRefused(),
      unsendable: (message) => {
        broker.#machine.unsendable(message, performance.now());
        broker.#flush();
      },
    });
    broker.#flush();
    return broker;
  }

  /** Where it listens, with the port that was chosen. */
  get endpoint(): string {
    return this.#socket?.endpoint ?? '';
  }

  status(): BrokerStatus {
    return this.#machine.status(performance.now());
  }

  /** Stops listening; workers and clients notice by their connections. May be called twice. */
  close(): Promise<void> {
    this.#pump.end();
    this.#socket?.close();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #flush(): void {
    // What is read before `bind` has returned is answered when it has.
    if (this.#socket !== undefined) {
      const { outgoing } = this.#machine;
      for (let message = outgoing.shift(); message !== undefined; message = outgoing.shift()) this.#socket.send(message);
    }
    this.#pump.arm();
  }
}
