// One socket of a client: the machine of mdp/client.ts with a socket and a timer.
import { ClientMachine, type CallOutcome, type Dialect, type OpenCall } from './mdp/client.ts';
import type { Frame, Frames } from './mdp/frames.ts';
import { Pump } from './pump.ts';
import type { DealerSocket, Transport } from './transport.ts';

export interface ClientLinkOptions {
  readonly endpoint: string;
  readonly dialect: Dialect;
  readonly share: number;
  readonly transport: Transport;
}

export class ClientLink {
  readonly #options: ClientLinkOptions;
  readonly #machine: ClientMachine;
  readonly #pump: Pump;
  #socket: DealerSocket | undefined;

  constructor(options: ClientLinkOptions) {
    this.#options = options;
    this.#machine = new ClientMachine(options, Math.random);
    this.#pump = new Pump(() => performance.now(), () => this.#machine.deadlineMs, () => {
      this.#machine.tick(performance.now());
      this.#flush();
    });
    this.#machine.start();
    this.#flush();
  }

  get openCalls(): number {
    return this.#machine.openCalls;
  }

  get isConnected(): boolean {
    return this.#machine.isConnected;
  }

  call(service: Frame, body: Frames, timeoutMs: number, settle: (outcome: CallOutcome) => void): OpenCall {
    const nowMs = performance.now();
    const call = this.#machine.call(service, body, nowMs + timeoutMs, settle, nowMs);
    this.#flush();
    return call;
  }

  cancel(call: OpenCall): void {
    this.#machine.cancel(call, performance.now());
    this.#flush();
  }

  end(): void {
    this.#machine.end();
    this.#flush();
    this.#pump.end();
  }

  /** Does what the machine wants done. */
  #flush(): void {
    const { effects } = this.#machine;
    if (effects.length > 0) {
      for (const effect of effects.splice(0)) {
        switch (effect.do) {
          case 'open': this.#open(); break;
          case 'close': this.#close(); break;
          case 'send': this.#socket?.send(effect.frames); break;
          case 'settle': effect.call.settle(effect.outcome); break;
          default: effect satisfies never;
        }
      }
    }
    this.#pump.arm();
  }

  #open(): void {
    const { endpoint, transport, share } = this.#options;
    const socket: DealerSocket = transport.connect(endpoint, { highWaterMark: Math.max(1000, share), lingerMs: 0 }, {
      connected: () => {
        if (this.#socket !== socket) return;
        this.#machine.connected(performance.now());
        this.#flush();
      },
      disconnected: () => {
        if (this.#socket !== socket) return;
        this.#machine.disconnected(performance.now());
        this.#flush();
      },
      message: (frames) => {
        if (this.#socket !== socket) return;
        this.#pump.read();
        this.#machine.receive(frames);
        this.#flush();
      },
      unsendable: (frames) => {
        if (this.#socket !== socket) return;
        this.#machine.unsendable(frames);
        this.#flush();
      },
    });
    this.#socket = socket;
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
