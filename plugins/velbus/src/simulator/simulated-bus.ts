// A bus with modules, without a wire: what one says, all others hear, until nobody has anything to say. Pure.
import type { Message } from '../message.ts';
import { SimulatedModule } from './simulated-module.ts';

export class SimulatedBus {
  readonly modules: readonly SimulatedModule[];

  constructor(modules: readonly SimulatedModule[]) {
    this.modules = modules;
  }

  /** When something next happens by itself; Infinity for never. */
  get nextMs(): number {
    return Math.min(...this.modules.map(({ nextMs }) => nextMs), Infinity);
  }

  module(address: number): SimulatedModule | undefined {
    return this.modules.find((module) => module.address === address);
  }

  /** What is on the bus after a message from outside, that message left out. */
  hear(message: Message, nowMs: number): Message[] {
    return this.#spread([message], nowMs).slice(1);
  }

  /** What the timers do. */
  tick(nowMs: number): Message[] {
    return this.#spread(this.modules.flatMap((module) => module.tick(nowMs)), nowMs);
  }

  /** What a pressed button does. */
  press(address: number, channel: number, nowMs: number): Message[] {
    return this.#spread(this.module(address)?.press(channel) ?? [], nowMs);
  }

  /** The messages, each followed by what the modules say to it. */
  #spread(messages: readonly Message[], nowMs: number): Message[] {
    const heard: Message[] = [];
    const waiting = [...messages];
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      heard.push(message);
      for (const module of this.modules) waiting.push(...module.hear(message, nowMs));
    }
    return heard;
  }
}

/** Four relays at address 1, one at 2, and eight buttons at 3: the first four toggle those at 1, the fifth that at 2. */
export function threeModules(): SimulatedBus {
  const build = [26, 10];
  const wires = [1, 2, 3, 4].map((channel) => ({ button: { address: 3, channel }, relay: channel }));
  return new SimulatedBus([
    new SimulatedModule({ address: 1, type: 0x08, details: [0x0f, 0x0f, 0x0f, 0x0f, ...build], wires }),
    new SimulatedModule({ address: 2, type: 0x02, details: [0x0f, ...build], wires: [{ button: { address: 3, channel: 5 }, relay: 1 }] }),
    new SimulatedModule({ address: 3, type: 0x01, details: [0, 0, 0, ...build] }),
  ]);
}
