// The command `relay`: switches a relay and waits until its module says how it is.
import type { Bus } from './bus.ts';
import type { KnownModule } from './bus-model.ts';
import { channelUnknown, noAnswer, notARelay, relayUnchanged } from './failures.ts';
import type { Message } from './message.ts';
import { relayIsOn } from './module-types.ts';
import type { Timing } from './timing.ts';

export interface RelayOrder {
  readonly address: number;
  readonly channel: number;
  readonly state: 'on' | 'off';
  /** With on: the module switches it off after so long. */
  readonly seconds?: number | undefined;
}

export type SwitchedRelay = {
  readonly address: number;
  readonly channel: number;
  readonly module: string;
  readonly state: 'on' | 'off';
  /** 0 without a timer. */
  readonly remainingSeconds: number;
};

/** A frame may be lost on the line; so a module that does not do it, or is silent, is told a second time. */
const attempts = 2;

type RelayStatus = Extract<Message, { kind: 'relay-status' }>;
type ModuleTypeMessage = Extract<Message, { kind: 'module-type' }>;

/** @throws ActionFailure NOT_A_RELAY, CHANNEL_UNKNOWN, MODULE_NO_ANSWER, RELAY_UNCHANGED, and what `Bus.ask` throws */
export async function switchRelay(bus: Bus, order: RelayOrder, { answerMs }: Timing, signal: AbortSignal): Promise<SwitchedRelay> {
  const { address, channel, state, seconds } = order;
  const { type, about: { name, relays } } = await moduleAt(bus, address, answerMs, signal);
  if (relays === 0) throw notARelay(address, name);
  if (channel > relays) throw channelUnknown(address, name, channel, relays);

  const channels = [channel];
  const orderMessage: Message = seconds === undefined ? { kind: 'switch-relay', address, channels, on: state === 'on' } : { kind: 'start-relay-timer', address, channels, seconds };
  const contrary: RelayStatus[] = [];
  const isSo = (message: Message): message is RelayStatus => {
    if (message.kind !== 'relay-status' || message.address !== address || message.channel !== channel) return false;
    const isWanted = relayIsOn(type, channel, message.status) === (state === 'on');
    if (!isWanted) contrary.push(message);
    return isWanted;
  };
  for (let attempt = 0; attempt < attempts; attempt++) {
    // A relay that was so before says nothing by itself; so it is asked.
    const status = await bus.ask([orderMessage, { kind: 'relay-status-request', address, channels }], isSo, answerMs, signal);
    if (status !== undefined) return { address, channel, module: name, state, remainingSeconds: status.remainingSeconds };
  }
  throw contrary.length > 0 ? relayUnchanged(address, name, channel, state) : noAnswer(address, `the ${name}`, bus.model.hold);
}

/** What is at an address; it is asked if that is not known yet. @throws ActionFailure MODULE_NO_ANSWER */
async function moduleAt(bus: Bus, address: number, answerMs: number, signal: AbortSignal): Promise<KnownModule> {
  const isAnswer = (message: Message): message is ModuleTypeMessage => message.kind === 'module-type' && message.address === address;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const known = bus.model.module(address);
    if (known !== undefined) return known;
    await bus.ask([{ kind: 'module-type-request', address }], isAnswer, answerMs, signal);
  }
  const known = bus.model.module(address);
  if (known === undefined) throw noAnswer(address, 'a module', bus.model.hold);
  return known;
}
