// What is known of the bus: its modules, their relays and buttons, and whether the interface takes frames. Pure: messages
// in; what it would like to ask comes out, and somebody else sends it.
import type { InterfaceReport, Message } from './message.ts';
import { hex, moduleType, relayIsOn, type ModuleType } from './module-types.ts';

export type ButtonState = 'pressed' | 'long-pressed' | 'released';

export interface KnownRelay {
  readonly on: boolean;
  /** How long it stays on; 0 without a timer, and as it was when the module told. */
  readonly remainingSeconds: number;
}

export interface KnownModule {
  readonly address: number;
  readonly type: number;
  readonly about: ModuleType;
  /** By channel, as far as the module has told since the connection began. */
  readonly relays: ReadonlyMap<number, KnownRelay>;
  readonly buttons: ReadonlyMap<number, ButtonState>;
}

/** What a sensor of plugin.json shows now. */
export type Change = { readonly address: number; readonly channel: number } & (
  | { readonly sensor: 'relay'; readonly value: boolean }
  | { readonly sensor: 'button'; readonly value: ButtonState }
);

export function changeText({ sensor, address, channel, value }: Change): string {
  return `${sensor} ${channel} at address ${address} (${hex(address)}) is ${value === true ? 'on' : value === false ? 'off' : value}`;
}

interface MutableModule extends KnownModule {
  readonly relays: Map<number, KnownRelay>;
  readonly buttons: Map<number, ButtonState>;
}

export class BusModel {
  readonly #modules = new Map<number, MutableModule>();
  /** What was asked since the connection began; each thing is asked once. */
  readonly #asked = new Set<string>();
  #questions: Message[] = [];
  #isOff = false;
  #isFull = false;

  /** All modules, by address. */
  get modules(): KnownModule[] {
    return [...this.#modules.values()].sort((a, b) => a.address - b.address);
  }

  module(address: number): KnownModule | undefined {
    return this.#modules.get(address);
  }

  /** Why the interface takes no frames, if it says so. */
  get hold(): InterfaceReport | undefined {
    return this.#isOff ? 'bus-off' : this.#isFull ? 'buffer-full' : undefined;
  }

  /** What would be good to know and was not asked yet: what a module is that spoke, and how the relays of a new one are. */
  takeQuestions(): readonly Message[] {
    const questions = this.#questions;
    this.#questions = [];
    return questions;
  }

  /** A connection begins: what was known of states may have changed meanwhile, and is asked again. */
  connected(): void {
    this.#asked.clear();
    this.#questions = [];
    this.#isOff = false;
    this.#isFull = false;
    for (const module of this.#modules.values()) {
      module.relays.clear();
      module.buttons.clear();
      this.#askRelays(module);
    }
  }

  /** A module that no longer answers. */
  forget(address: number): void {
    this.#modules.delete(address);
  }

  /** @returns what changed; the first state of a relay that was not known is no change */
  apply(message: Message): readonly Change[] {
    switch (message.kind) {
      case 'module-type':
        this.#learn(message.address, message.type);
        return [];
      case 'relay-status': {
        const { address, channel, status, remainingSeconds } = message;
        const module = this.#speaker(address);
        return module === undefined ? [] : setRelay(module, channel, { on: relayIsOn(module.type, channel, status), remainingSeconds });
      }
      case 'button-status': {
        const { address, pressed, released, longPressed } = message;
        const module = this.#speaker(address);
        if (module === undefined) return [];
        const set = (state: ButtonState) => (channel: number): readonly Change[] => setButton(module, channel, state);
        return [...pressed.flatMap(set('pressed')), ...longPressed.flatMap(set('long-pressed')), ...released.flatMap(set('released'))];
      }
      case 'bus-off':
      case 'bus-active':
        this.#isOff = message.kind === 'bus-off';
        return [];
      case 'buffer-full':
      case 'buffer-ready':
        this.#isFull = message.kind === 'buffer-full';
        return [];
      default:
        // Commands and questions of others on the bus.
        return [];
    }
  }

  #learn(address: number, type: number): void {
    if (this.#modules.get(address)?.type === type) return;
    const module: MutableModule = { address, type, about: moduleType(type), relays: new Map(), buttons: new Map() };
    this.#modules.set(address, module);
    this.#askRelays(module);
  }

  #speaker(address: number): MutableModule | undefined {
    const module = this.#modules.get(address);
    if (module === undefined) this.#ask(`type ${address}`, { kind: 'module-type-request', address });
    return module;
  }

  #askRelays({ address, about }: KnownModule): void {
    for (let channel = 1; channel <= about.relays; channel++) {
      this.#ask(`relay ${address} ${channel}`, { kind: 'relay-status-request', address, channels: [channel] });
    }
  }

  #ask(what: string, question: Message): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    this.#questions.push(question);
  }
}

function setRelay({ address, about, relays }: MutableModule, channel: number, relay: KnownRelay): readonly Change[] {
  if (channel > about.relays) return [];
  const before = relays.get(channel);
  relays.set(channel, relay);
  return before === undefined || before.on === relay.on ? [] : [{ sensor: 'relay', address, channel, value: relay.on }];
}

/** A relay module tells its relays as buttons: pressed is switched on; what follows them is its local buttons. */
function setButton(module: MutableModule, channel: number, state: ButtonState): readonly Change[] {
  const { address, about, relays, buttons } = module;
  if (about.relays === 0) {
    buttons.set(channel, state);
    return [{ sensor: 'button', address, channel, value: state }];
  }
  if (state === 'long-pressed') return [];
  const on = state === 'pressed';
  return setRelay(module, channel, { on, remainingSeconds: on ? (relays.get(channel)?.remainingSeconds ?? 0) : 0 });
}
