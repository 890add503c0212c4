// What a frame says. The protocol sheet of each module says which messages it sends and takes (for example
// "VMB4RY protocol, edition 1 rev 7"); here are those of relays, push buttons and the interface module. Pure.
import type { Frame, Priority } from './frame.ts';

/** Relays or buttons of one module by number, 1 to 8: in a frame each is a bit. */
export type Channels = readonly number[];

export type Message =
  /** Asks the module at the address what it is. */
  | { readonly kind: 'module-type-request'; readonly address: number }
  /** What a module is. `details` has what its sheet says of it: settings or serial number, build year and week. */
  | { readonly kind: 'module-type'; readonly address: number; readonly type: number; readonly details: readonly number[] }
  /** Buttons that were just pressed, just released, or held for 0.85 s; a relay module also tells its relays so. */
  | { readonly kind: 'button-status'; readonly address: number; readonly pressed: Channels; readonly released: Channels; readonly longPressed: Channels }
  | { readonly kind: 'switch-relay'; readonly address: number; readonly channels: Channels; readonly on: boolean }
  /** On for so many seconds; 0xFFFFFF for ever. */
  | { readonly kind: 'start-relay-timer'; readonly address: number; readonly channels: Channels; readonly seconds: number }
  | { readonly kind: 'relay-status-request'; readonly address: number; readonly channels: Channels }
  /** How one relay is. What `setting` and `status` mean depends on the type of the module. */
  | {
    readonly kind: 'relay-status'; readonly address: number; readonly channel: number;
    readonly setting: number; readonly status: number; readonly led: number; /** Of a timer; else 0. */ readonly remainingSeconds: number;
  }
  /** What the interface module says of itself. */
  | { readonly kind: InterfaceReport }
  /** Any other message. */
  | { readonly kind: 'other'; readonly frame: Frame };

/** An interface module takes no more frames while the bus is off or its buffer full. */
export type InterfaceReport = 'bus-off' | 'bus-active' | 'buffer-full' | 'buffer-ready';

const command = {
  buttonStatus: 0x00, switchRelayOff: 0x01, switchRelayOn: 0x02, startRelayTimer: 0x03,
  relayStatusRequest: 0xfa, relayStatus: 0xfb, moduleType: 0xff,
} as const;
const interfaceReports: ReadonlyMap<number, InterfaceReport> = new Map([[0x09, 'bus-off'], [0x0a, 'bus-active'], [0x0b, 'buffer-full'], [0x0c, 'buffer-ready']]);

export function decodeMessage(frame: Frame): Message {
  const { address, rtr, data } = frame;
  if (rtr) return { kind: 'module-type-request', address };
  const other: Message = { kind: 'other', frame };
  const [code, first = 0, second = 0, third = 0, fourth = 0] = data;
  const report = data.length === 1 ? interfaceReports.get(code ?? -1) : undefined;
  if (report !== undefined) return { kind: report };
  switch (code) {
    case command.buttonStatus:
      return data.length === 4 ? { kind: 'button-status', address, pressed: channelsOf(first), released: channelsOf(second), longPressed: channelsOf(third) } : other;
    case command.switchRelayOff:
    case command.switchRelayOn:
      return data.length === 2 ? { kind: 'switch-relay', address, channels: channelsOf(first), on: code === command.switchRelayOn } : other;
    case command.startRelayTimer:
      return data.length === 5 ? { kind: 'start-relay-timer', address, channels: channelsOf(first), seconds: number24(data, 2) } : other;
    case command.relayStatusRequest:
      return data.length === 2 ? { kind: 'relay-status-request', address, channels: channelsOf(first) } : other;
    case command.relayStatus: {
      const [channel, another] = channelsOf(first);
      if (data.length !== 8 || channel === undefined || another !== undefined) return other;
      return { kind: 'relay-status', address, channel, setting: second, status: third, led: fourth, remainingSeconds: number24(data, 5) };
    }
    case command.moduleType:
      return data.length >= 2 ? { kind: 'module-type', address, type: first, details: [...data.subarray(2)] } : other;
    default:
      return other;
  }
}

/** @throws FrameError where `encodeFrame` would, when the frame is encoded */
export function encodeMessage(message: Message): Frame {
  switch (message.kind) {
    case 'module-type-request':
      return { priority: 'low', address: message.address, rtr: true, data: new Uint8Array(0) };
    case 'module-type':
      return frame('low', message.address, [command.moduleType, message.type, ...message.details]);
    case 'button-status':
      return frame('high', message.address, [command.buttonStatus, bitsOf(message.pressed), bitsOf(message.released), bitsOf(message.longPressed)]);
    case 'switch-relay':
      return frame('high', message.address, [message.on ? command.switchRelayOn : command.switchRelayOff, bitsOf(message.channels)]);
    case 'start-relay-timer':
      return frame('high', message.address, [command.startRelayTimer, bitsOf(message.channels), ...bytes24(message.seconds)]);
    case 'relay-status-request':
      return frame('low', message.address, [command.relayStatusRequest, bitsOf(message.channels)]);
    case 'relay-status': {
      const { address, channel, setting, status, led, remainingSeconds } = message;
      return frame('low', address, [command.relayStatus, bitOf(channel), setting, status, led, ...bytes24(remainingSeconds)]);
    }
    case 'bus-off':
    case 'bus-active':
    case 'buffer-full':
    case 'buffer-ready':
      return frame('low', 0, [...interfaceReports].flatMap(([code, report]) => (report === message.kind ? [code] : [])));
    case 'other':
      return message.frame;
    default:
      return message satisfies never;
  }
}

/** The bit of a channel in a byte: 1 for the first. */
export function bitOf(channel: number): number {
  return 1 << (channel - 1);
}

function bitsOf(channels: Channels): number {
  return channels.reduce((bits, channel) => bits | bitOf(channel), 0);
}

function channelsOf(bits: number): number[] {
  return [1, 2, 3, 4, 5, 6, 7, 8].filter((channel) => (bits & bitOf(channel)) !== 0);
}

function frame(priority: Priority, address: number, data: readonly number[]): Frame {
  return { priority, address, rtr: false, data: Uint8Array.from(data) };
}

function number24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function bytes24(value: number): number[] {
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}
