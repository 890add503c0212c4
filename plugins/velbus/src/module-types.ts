// Which module has which type number, and what of it this plugin knows (the list of github.com/velbus/moduleprotocol,
// and the protocol sheets named there). Pure.
import { bitOf } from './message.ts';

export interface ModuleType {
  readonly name: string;
  /** How many relays it has, virtual ones too. */
  readonly relays: number;
  /** How many push buttons or inputs it has, as far as they are told as button status. */
  readonly buttons: number;
}

function relays(name: string, count: number): ModuleType {
  return { name, relays: count, buttons: 0 };
}
function buttons(name: string, count: number): ModuleType {
  return { name, relays: 0, buttons: count };
}
function named(name: string): ModuleType {
  return { name, relays: 0, buttons: 0 };
}

const moduleTypes: ReadonlyMap<number, ModuleType> = new Map([
  [0x01, buttons('VMB8PB', 8)],
  [0x02, relays('VMB1RY', 1)],
  [0x03, named('VMB1BL')],
  [0x05, buttons('VMB6IN', 6)],
  [0x07, named('VMB1DM')],
  [0x08, relays('VMB4RY', 4)],
  [0x09, named('VMB2BL')],
  [0x0a, named('VMB8IR')],
  [0x0b, named('VMB4PD')],
  [0x0c, named('VMB1TS')],
  [0x0e, named('VMB1TC')],
  [0x0f, named('VMB1LED')],
  [0x10, relays('VMB4RYLD', 5)],
  [0x11, relays('VMB4RYNO', 5)],
  [0x12, named('VMB4DC')],
  [0x13, named('VMBLCDWB')],
  [0x14, named('VMBDME')],
  [0x15, named('VMBDMI')],
  [0x16, buttons('VMB8PBU', 8)],
  [0x17, buttons('VMB6PBN', 8)],
  [0x18, buttons('VMB2PBN', 8)],
  [0x1a, named('VMB4RF')],
  [0x1b, relays('VMB1RYNO', 5)],
  [0x1d, named('VMB2BLE')],
  [0x1e, named('VMBGP1')],
  [0x1f, named('VMBGP2')],
  [0x20, named('VMBGP4')],
  [0x21, named('VMBGPO')],
  [0x22, buttons('VMB7IN', 8)],
  [0x25, named('VMBGPTC')],
  [0x28, named('VMBGPOD')],
  [0x29, relays('VMB1RYNOS', 5)],
  [0x2a, named('VMBPIRM')],
  [0x2b, named('VMBPIRC')],
  [0x2c, named('VMBPIRO')],
  [0x2d, named('VMBGP4PIR')],
  [0x2e, named('VMB1BLS')],
  [0x2f, named('VMBDMI-R')],
  [0x31, named('VMBMETEO')],
  [0x32, named('VMB4AN')],
  [0x33, named('VMBVP01')],
  [0x34, named('VMBEL1')],
  [0x35, named('VMBEL2')],
  [0x36, named('VMBEL4')],
  [0x37, named('VMBELO')],
  [0x39, named('VMBSIG')],
  [0x3a, named('VMBGP1-2')],
  [0x3b, named('VMBGP2-2')],
  [0x3c, named('VMBGP4-2')],
  [0x3d, named('VMBGPOD-2')],
  [0x3e, named('VMBGP4PIR-2')],
]);

/** What is known of a type number; a module that is not listed is called by its number. */
export function moduleType(type: number): ModuleType {
  return moduleTypes.get(type) ?? named(`type ${hex(type)}`);
}

/**
 * How the status byte of a relay status says that the relay is on: the first relay modules set the bit of its channel
 * (VMB4RY edition 1 rev 7, VMB1RY edition 1 rev 4), all later ones have 1 for on and 3 for on by a timer (VMB4RYNO edition 5).
 */
export function hasRelayBits(type: number): boolean {
  return type === 0x02 || type === 0x08;
}

/** Whether the status byte of a relay status says that the relay is on. */
export function relayIsOn(type: number, channel: number, status: number): boolean {
  return (status & (hasRelayBits(type) ? bitOf(channel) : 1)) !== 0;
}

/** An address or a type as the sheets and the switches on the modules have it: `0x0B`. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
