// The lines between the dealers and the broker. Each keeps its order; between lines there is none. A line delays what it
// carries; it may break, with or without notice, and what was on its way is lost then.
import type { Frames } from '../../src/mdp/frames.ts';
import type { Clock, Process } from './process.ts';
import type { Random } from './random.ts';

/** The binding side, as the lines know it. */
export interface Listener extends Process {
  readonly isListening: boolean;
  accept(line: Line): void;
  message(peer: string, frames: Frames): void;
  gone(peer: string): void;
}

/** The connecting side of a line. */
export interface Dealer {
  readonly process: Process;
  connected(): void;
  disconnected(): void;
  message(frames: Frames): void;
  unsendable(frames: Frames): void;
}

export interface LineOptions {
  /** Both ends notice a dead line in 5 s; without, the broker does after a long time and the dealer never (rule R10). */
  readonly heartbeats: boolean;
  /** What was sent still goes out after the dealer closed. */
  readonly lingers: boolean;
}

const noticeMs = 5000;
const lateNoticeMs = 20_000;

export class Line {
  readonly peer: string;
  readonly #network: Network;
  readonly #dealer: Dealer;
  readonly #options: LineOptions;
  #state: 'dialling' | 'open' | 'dead' = 'dialling';
  /** What is on its way does not arrive. */
  #broken = false;
  /** It takes what it is given, and it goes nowhere. */
  #swallows = false;
  #dealerClosed = false;
  #brokerTold = false;
  #toBrokerMs = 0;
  #toDealerMs = 0;
  /** The dealer reads; else what the broker sends is refused, as by a full queue. */
  isRead = true;

  constructor(network: Network, dealer: Dealer, options: LineOptions) {
    this.peer = network.freshPeer();
    this.#network = network;
    this.#dealer = dealer;
    this.#options = options;
    network.lines.add(this);
    this.#dial(network.delayMs());
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The dealer sends. */
  send(frames: Frames): void {
    if (this.#swallows) return;
    if (this.#state !== 'open') {
      this.#toDealer(0, () => this.#dealer.unsendable(frames));
      return;
    }
    this.#toBroker(() => {
      if (!this.#broken) this.#network.listener.message(this.peer, frames);
    });
  }

  /** The broker sends; whether its socket took it. */
  deliver(frames: Frames): boolean {
    if (this.#state !== 'open' || !this.isRead) return false;
    if (!this.#swallows) {
      this.#toDealer(this.#network.delayMs(), () => {
        if (!this.#broken) this.#dealer.message(frames);
      });
    }
    return true;
  }

  /** The dealer closes its socket; nothing reaches it any more. */
  close(): void {
    this.#dealerClosed = true;
    const { random, clock } = this.#network;
    if (this.#state === 'open') {
      this.#state = 'dead';
      if (!this.#options.lingers && random.chance(0.5)) this.#broken = true;
      if (this.#swallows) clock.after(this.#options.heartbeats ? noticeMs : lateNoticeMs, () => this.#tellBroker());
      else this.#tellBroker();
    }
    this.#state = 'dead';
    this.#network.lines.delete(this);
  }

  /** The connection breaks, and both ends are told. */
  cut(): void {
    if (this.#state !== 'open') return;
    this.#state = 'dead';
    this.#broken = true;
    this.#tellBroker();
    this.#toDealer(this.#network.delayMs(), () => this.#dealer.disconnected());
    this.#network.lines.delete(this);
  }

  /** The line goes dead without a word. */
  swallow(): void {
    if (this.#state !== 'open' || this.#swallows) return;
    this.#swallows = true;
    this.#broken = true;
    this.#network.clock.after(this.#options.heartbeats ? noticeMs : lateNoticeMs, () => this.cut());
  }

  #dial(delayMs: number): void {
    this.#network.clock.after(delayMs, () => {
      if (this.#state !== 'dialling') return;
      const { listener, random } = this.#network;
      if (!listener.isListening || listener.isSuspended) return this.#dial(random.between(100, 400));
      this.#state = 'open';
      listener.accept(this);
      this.#toDealer(this.#network.delayMs(), () => {
        if (this.#state === 'open') this.#dealer.connected();
      });
    });
  }

  #tellBroker(): void {
    if (this.#brokerTold) return;
    this.#brokerTold = true;
    this.#toBroker(() => this.#network.listener.gone(this.peer));
  }

  #toBroker(step: () => void): void {
    const { clock, listener, incarnation } = this.#network;
    this.#toBrokerMs = Math.max(clock.nowMs + this.#network.delayMs(), this.#toBrokerMs + 0.001);
    clock.at(this.#toBrokerMs, () => {
      if (incarnation === this.#network.incarnation && listener.isListening) listener.input(step);
    });
  }

  #toDealer(delayMs: number, step: () => void): void {
    const { clock } = this.#network;
    this.#toDealerMs = Math.max(clock.nowMs + delayMs, this.#toDealerMs + 0.001);
    clock.at(this.#toDealerMs, () => {
      if (this.#dealerClosed) return;
      this.#dealer.process.input(() => {
        if (!this.#dealerClosed) step();
      });
    });
  }
}

export class Network {
  readonly clock: Clock;
  readonly random: Random;
  readonly lines = new Set<Line>();
  readonly #slownessMs: number;
  #listener: Listener | undefined;
  #peers = 0;
  /** Which start of the broker this is; what was sent to an earlier one is lost. */
  incarnation = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.#slownessMs = random.pick([1, 20, 200]);
  }

  get listener(): Listener {
    if (this.#listener === undefined) throw new TypeError('the network has no listener yet');
    return this.#listener;
  }

  set listener(listener: Listener) {
    this.#listener = listener;
  }

  delayMs(): number {
    return this.random.chance(0.02) ? this.random.between(0, 10 * this.#slownessMs) : this.random.between(0.05, this.#slownessMs);
  }

  freshPeer(): string {
    this.#peers += 1;
    return `peer${this.#peers}`;
  }
}
