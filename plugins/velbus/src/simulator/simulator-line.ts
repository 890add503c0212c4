// The simulated bus at work: streams of bytes that are joined to it, its timers, and the faults of the line.
import type { Duplex } from 'node:stream';
import { encodeFrame, FrameParser } from '../frame.ts';
import { decodeMessage, encodeMessage, type Message } from '../message.ts';
import { garbage, noFaults, spoil, type Faults } from './faults.ts';
import type { SimulatedBus } from './simulated-bus.ts';

export class SimulatorLine {
  readonly bus: SimulatedBus;
  /** May be changed at any time. */
  faults: Faults;
  /** Whether nobody on the bus answers any more. */
  muted = false;
  readonly #streams = new Set<Duplex>();
  readonly #onMessage: (message: Message) => void;
  #frames = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onMessage` is told all that the modules say. */
  constructor(bus: SimulatedBus, { faults = noFaults, onMessage = () => {} }: { readonly faults?: Faults; readonly onMessage?: (message: Message) => void } = {}) {
    this.bus = bus;
    this.faults = faults;
    this.#onMessage = onMessage;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Joins whoever is at the other end of the stream to the bus. */
  attach(stream: Duplex): void {
    const parser = new FrameParser();
    this.#streams.add(stream);
    stream.on('data', (bytes: Uint8Array) => {
      for (const frame of parser.push(bytes)) this.#take(decodeMessage(frame), stream);
    });
    stream.on('error', () => {});
    stream.once('close', () => this.#streams.delete(stream));
  }

  press(address: number, channel: number): void {
    this.#say(this.bus.press(address, channel, this.#nowMs()));
  }

  /** Bytes that are no frame, to all. */
  sendGarbage(): void {
    for (const stream of this.#streams) stream.write(garbage);
  }

  /** What the interface module says of itself, or anything else. */
  send(message: Message): void {
    this.#say([message]);
  }

  /** Ends all connections, and the timers. */
  hangUp(): void {
    clearTimeout(this.#timer);
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  /** As a gateway does: what one sends goes to the bus and to all others. */
  #take(message: Message, from: Duplex): void {
    this.#write(message, from);
    if (!this.muted) this.#say(this.bus.hear(message, this.#nowMs()));
  }

  #say(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#onMessage(message);
      this.#write(message);
    }
    this.#wait();
  }

  #write(message: Message, except?: Duplex): void {
    this.#frames += 1;
    const pieces = spoil(encodeFrame(encodeMessage(message)), this.#frames, this.faults);
    for (const stream of this.#streams) if (stream !== except) for (const piece of pieces) stream.write(piece);
  }

  /** Whole milliseconds, so that a timer of a second has a second left. */
  #nowMs(): number {
    return Math.floor(performance.now());
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const { nextMs } = this.bus;
    if (nextMs < Infinity) this.#timer = setTimeout(() => this.#say(this.bus.tick(this.#nowMs())), Math.max(1, nextMs - this.#nowMs()));
  }
}
