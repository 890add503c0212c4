// What a command of this plugin answers when it cannot do its work; the codes are stable.
import { ActionFailure } from '@majordomus/plugin';
import { hex } from './module-types.ts';

/** The device of the configuration cannot be one. */
export function deviceInvalid(reason: string): ActionFailure {
  return new ActionFailure('DEVICE_INVALID', reason);
}

/** Nothing was sent. */
export function deviceUnreachable(reason: string): ActionFailure {
  return new ActionFailure('DEVICE_UNREACHABLE', `${reason}; nothing was sent`);
}

/** The connection broke while the command ran: what was sent may have been done or not. */
export function connectionLost(reason: string): ActionFailure {
  return new ActionFailure('CONNECTION_LOST', `the connection was lost in the middle of the command: ${reason}; what was asked may be done or not`);
}

/** `hold` is what the interface said, where it takes no frames. */
export function noAnswer(address: number, what: string, hold: string | undefined): ActionFailure {
  const advice = hold === undefined ? 'the command scan gives the modules that do' : `the interface says ${hold}, so look at the wiring of the bus`;
  return new ActionFailure('MODULE_NO_ANSWER', `${what} at address ${address} (${hex(address)}) does not answer; ${advice}`, { address });
}

export function notARelay(address: number, name: string): ActionFailure {
  return new ActionFailure('NOT_A_RELAY', `the module at address ${address} (${hex(address)}) is a ${name}, which has no relays that velbus knows`, { address, module: name });
}

export function channelUnknown(address: number, name: string, channel: number, relays: number): ActionFailure {
  const has = relays === 1 ? 'only relay 1' : `relays 1 to ${relays}`;
  return new ActionFailure('CHANNEL_UNKNOWN', `there is no relay ${channel} on the ${name} at address ${address} (${hex(address)}): it has ${has}`, { address, channel, relays });
}

export function relayUnchanged(address: number, name: string, channel: number, wanted: 'on' | 'off'): ActionFailure {
  const is = wanted === 'on' ? 'off' : 'on';
  return new ActionFailure('RELAY_UNCHANGED', `relay ${channel} of the ${name} at address ${address} (${hex(address)}) says that it is still ${is}; it may be inhibited or forced on its module`, { address, channel });
}

export function busBusy(reason: string): ActionFailure {
  return new ActionFailure('BUS_BUSY', reason);
}
