// The connection of a machine to its broker: one socket at a time, which is replaced by a new one. What an old socket still
// says is not heard any more.
import type { ToBroker } from './mdp/frames.ts';
import type { DealerEvents, DealerOptions, DealerSocket, Transport } from './transport.ts';

export class Connection {
  readonly #open: (events: DealerEvents) => DealerSocket;
  readonly #events: DealerEvents;
  #socket: DealerSocket | undefined;

  constructor(transport: Transport, endpoint: string, options: DealerOptions, events: DealerEvents) {
    this.#open = (current) => transport.connect(endpoint, options, current);
    this.#events = events;
  }

  open(): void {
    const events = this.#events;
    const isCurrent = (): boolean => this.#socket === socket;
    const socket = this.#open({
      connected: () => isCurrent() && events.connected(),
      disconnected: () => isCurrent() && events.disconnected(),
      alive: () => isCurrent() && events.alive?.(),
      message: (message) => isCurrent() && events.message(message),
      unsendable: (message, why) => isCurrent() && events.unsendable(message, why),
      ended: (why) => isCurrent() && events.ended?.(why),
    });
    this.#socket = socket;
  }

  send(message: ToBroker): void {
    this.#socket?.send(message);
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
