// One socket of a client: the machine of mdp/client.ts with a socket and a timer.
import { performance } from 'node:perf_hooks';
import { Connection } from './connection.ts';
import { ClientMachine, type CallOutcome, type Dialect, type OpenCall } from './mdp/client.ts';
import type { Frame, Frames } from './mdp/frames.ts';
import { Pump } from './pump.ts';
import type { Transport } from './transport.ts';

export interface ClientLinkOptions {
  readonly endpoint: string;
  readonly dialect: Dialect;
  readonly share: number;
  readonly transport: Transport;
}

export class ClientLink {
  readonly #machine: ClientMachine;
  readonly #pump: Pump;
  readonly #connection: Connection;

  constructor({ endpoint, transport, dialect, share }: ClientLinkOptions) {
    this.#machine = new ClientMachine({ dialect, share }, Math.random);
    this.#pump = new Pump(() => performance.now(), () => this.#machine.deadlineMs, () => this.#step(() => this.#machine.tick(performance.now())));
    this.#connection = new Connection(transport, endpoint, { highWaterMark: Math.max(1000, share), lingerMs: 0 }, {
      connected: () => this.#step(() => this.#machine.connected(performance.now())),
      disconnected: () => this.#step(() => this.#machine.disconnected(performance.now())),
      message: (message) => {
        this.#pump.read();
        this.#step(() => this.#machine.receive(message));
      },
      unsendable: (message, why) => this.#step(() => this.#machine.unsendable(message, why)),
    });
    this.#step(() => this.#machine.start());
  }

  get openCalls(): number {
    return this.#machine.openCalls;
  }

  get isConnected(): boolean {
    return this.#machine.isConnected;
  }

  call(service: Frame, body: Frames, timeoutMs: number, settle: (outcome: CallOutcome) => void): OpenCall {
    const nowMs = performance.now();
    return this.#step(() => this.#machine.call(service, body, nowMs + timeoutMs, settle, nowMs));
  }

  cancel(call: OpenCall): void {
    this.#step(() => this.#machine.cancel(call, performance.now()));
  }

  end(): void {
    this.#step(() => this.#machine.end());
    this.#pump.end();
  }

  /** An input, then what the machine wants done. */
  #step<T>(input: () => T): T {
    const result = input();
    const { effects } = this.#machine;
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      switch (effect.do) {
        case 'open': this.#connection.open(); break;
        case 'close': this.#connection.close(); break;
        case 'send': this.#connection.send(effect.message); break;
        case 'settle': effect.call.settle(effect.outcome); break;
        default: effect satisfies never;
      }
    }
    this.#pump.arm();
    return result;
  }
}
