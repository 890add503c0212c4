// A module of the simulated bus: what it answers and says, as the protocol sheet of the real one has it. Pure: it is told
// the time, and gives the messages that it puts on the bus.
import { bitOf, type Channels, type Message } from '../message.ts';
import { hasRelayBits, moduleType } from '../module-types.ts';

/** Which button works which relay: the module at `address` toggles `relay` when that button is pressed. */
export interface Wire {
  readonly button: { readonly address: number; readonly channel: number };
  readonly relay: number;
}

export interface SimulatedModuleOptions {
  readonly address: number;
  readonly type: number;
  /** What stands in its module type message after the type: settings, build year and week. */
  readonly details: readonly number[];
  readonly wires?: readonly Wire[];
}

const led = { off: 0x00, on: 0x80, fastBlinking: 0x20 } as const;
const forEver = 0xff_ff_ff;

export class SimulatedModule {
  readonly address: number;
  readonly type: number;
  readonly #details: readonly number[];
  readonly #wires: readonly Wire[];
  /** When a relay that is on goes off by its timer; by channel. */
  readonly #onUntilMs = new Map<number, number>();

  constructor({ address, type, details, wires = [] }: SimulatedModuleOptions) {
    this.address = address;
    this.type = type;
    this.#details = details;
    this.#wires = wires;
  }

  get name(): string {
    return moduleType(this.type).name;
  }

  get relays(): number {
    return moduleType(this.type).relays;
  }

  get buttons(): number {
    return moduleType(this.type).buttons;
  }

  isOn(channel: number): boolean {
    return this.#onUntilMs.has(channel);
  }

  /** When it next does something by itself; Infinity if it only answers. */
  get nextMs(): number {
    return Math.min(...this.#onUntilMs.values(), Infinity);
  }

  /** What it says to a message that is on the bus. */
  hear(message: Message, nowMs: number): Message[] {
    if (message.kind === 'button-status') return this.#follow(message, nowMs);
    if (!('address' in message) || message.address !== this.address) return [];
    switch (message.kind) {
      case 'module-type-request':
        return [{ kind: 'module-type', address: this.address, type: this.type, details: this.#details }];
      case 'relay-status-request':
        return this.#own(message.channels).map((channel) => this.#status(channel, nowMs));
      case 'switch-relay':
        return this.#own(message.channels).flatMap((channel) => this.#switch(channel, message.on ? Infinity : undefined, nowMs));
      case 'start-relay-timer': {
        // Zero is the time that is set on the module, which here is none.
        const untilMs = message.seconds === forEver || message.seconds === 0 ? Infinity : nowMs + message.seconds * 1000;
        return this.#own(message.channels).flatMap((channel) => this.#switch(channel, untilMs, nowMs));
      }
      default:
        return [];
    }
  }

  /** The timers that have run out. */
  tick(nowMs: number): Message[] {
    const over = [...this.#onUntilMs].filter(([, untilMs]) => untilMs <= nowMs).map(([channel]) => channel);
    return over.flatMap((channel) => this.#switch(channel, undefined, nowMs));
  }

  /** Somebody presses a button and lets it go. */
  press(channel: number): Message[] {
    const status = { kind: 'button-status', address: this.address, pressed: [], released: [], longPressed: [] } as const;
    return [{ ...status, pressed: [channel] }, { ...status, released: [channel] }];
  }

  #follow({ address, pressed }: Message & { kind: 'button-status' }, nowMs: number): Message[] {
    const wires = this.#wires.filter(({ button }) => button.address === address && pressed.includes(button.channel));
    return wires.flatMap(({ relay }) => this.#switch(relay, this.isOn(relay) ? undefined : Infinity, nowMs));
  }

  /** On until a time, or off if there is none. A relay that is so already says nothing. */
  #switch(channel: number, untilMs: number | undefined, nowMs: number): Message[] {
    const beforeMs = this.#onUntilMs.get(channel);
    if (beforeMs === untilMs) return [];
    if (untilMs === undefined) this.#onUntilMs.delete(channel);
    else this.#onUntilMs.set(channel, untilMs);
    const status = this.#status(channel, nowMs);
    if (beforeMs !== undefined && untilMs !== undefined) return [status];
    // A relay that changes first tells it as a button would.
    const changed = { pressed: untilMs === undefined ? [] : [channel], released: untilMs === undefined ? [channel] : [], longPressed: [] };
    return [{ kind: 'button-status', address: this.address, ...changed }, status];
  }

  #status(channel: number, nowMs: number): Message {
    const untilMs = this.#onUntilMs.get(channel);
    const hasTimer = untilMs !== undefined && Number.isFinite(untilMs);
    const on = hasRelayBits(this.type) ? bitOf(channel) : 1;
    return {
      kind: 'relay-status',
      address: this.address,
      channel,
      setting: 0,
      status: untilMs === undefined ? 0 : on,
      led: untilMs === undefined ? led.off : hasTimer ? led.fastBlinking : led.on,
      remainingSeconds: hasTimer ? Math.ceil((untilMs - nowMs) / 1000) : 0,
    };
  }

  #own(channels: Channels): Channels {
    return channels.filter((channel) => channel <= this.relays);
  }
}
