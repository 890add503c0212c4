import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameParser, maxDataLength, priorities } from './frame.ts';
import { decodeMessage, encodeMessage, type Message } from './message.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/**
 * The protocol sheets give each message as a table of priority, length and data bytes; these are the bytes that follow from it, put
 * together by hand. Sheet and page stand at each.
 */
const vmb4ry = 'VMB4RY, "VMB1RY protocol, edition 1 _ rev7"';
const golden: readonly (readonly [sheet: string, hex: string, message: Message])[] = [
  [`${vmb4ry}, page 12, "Module type request"`, '0F FB 01 40 B5 04', { kind: 'module-type-request', address: 1 }],
  [`${vmb4ry}, page 6, "Transmits the module type", build 1705`, '0F FB 01 08 FF 08 0F 0F 0F 0F 11 05 94 04', { kind: 'module-type', address: 1, type: 0x08, details: [0x0f, 0x0f, 0x0f, 0x0f, 17, 5] }],
  [`${vmb4ry}, page 9, "Switch relay off", channel 1`, '0F F8 01 02 01 01 F4 04', { kind: 'switch-relay', address: 1, channels: [1], on: false }],
  [`${vmb4ry}, page 9, "Switch relay on", channel 4`, '0F F8 01 02 02 08 EC 04', { kind: 'switch-relay', address: 1, channels: [4], on: true }],
  [`${vmb4ry}, page 10, "Start relay timer", channel 3, 60 s`, '0F F8 01 05 03 04 00 00 3C B0 04', { kind: 'start-relay-timer', address: 1, channels: [3], seconds: 60 }],
  [`${vmb4ry}, page 10, "Start relay timer", channel 1, for ever`, '0F F8 01 05 03 01 FF FF FF F2 04', { kind: 'start-relay-timer', address: 1, channels: [1], seconds: 0xff_ff_ff }],
  [`${vmb4ry}, page 12, "Relay status request", channel 4`, '0F FB 01 02 FA 08 F1 04', { kind: 'relay-status-request', address: 1, channels: [4] }],
  [`${vmb4ry}, page 5, "Transmits the relay status", channel 2 on`, '0F FB 01 08 FB 02 00 02 80 00 00 00 6E 04', { kind: 'relay-status', address: 1, channel: 2, setting: 0, status: 0x02, led: 0x80, remainingSeconds: 0 }],
  [`${vmb4ry}, page 3, "Transmits the push button & relay switch status", relay 1 just switched on`, '0F F8 01 04 00 01 00 00 F3 04', { kind: 'button-status', address: 1, pressed: [1], released: [], longPressed: [] }],
  ['VMB1RYNO, edition 5, page 4, "Transmits the relay status", channel 1 on by the timer for 300 s', '0F FB 02 08 FB 01 00 03 20 00 01 2C A0 04', { kind: 'relay-status', address: 2, channel: 1, setting: 0, status: 0x03, led: 0x20, remainingSeconds: 300 }],
  ['VMB1RYNO, edition 5, page 5, "Transmits the module type", build 1105', '0F FB 02 07 FF 1B 12 34 01 0B 05 7C 04', { kind: 'module-type', address: 2, type: 0x1b, details: [0x12, 0x34, 1, 11, 5] }],
  ['VMB8PBU, edition 5, page 4, "Transmits the channel switch status", channel 3 just pressed', '0F F8 03 04 00 04 00 00 EE 04', { kind: 'button-status', address: 3, pressed: [3], released: [], longPressed: [] }],
  ['VMB8PBU, edition 5, page 4, the same, channel 8 long pressed, 1 released', '0F F8 03 04 00 00 01 80 71 04', { kind: 'button-status', address: 3, pressed: [], released: [1], longPressed: [8] }],
];

const address = fc.integer({ min: 0, max: 255 });
const byte = address;
const seconds = fc.integer({ min: 0, max: 0xff_ff_ff });
const channels = fc.subarray([1, 2, 3, 4, 5, 6, 7, 8]);
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('module-type-request' as const), address }),
  fc.record({ kind: fc.constant('module-type' as const), address, type: byte, details: fc.array(byte, { maxLength: 6 }) }),
  fc.record({ kind: fc.constant('button-status' as const), address, pressed: channels, released: channels, longPressed: channels }),
  fc.record({ kind: fc.constant('switch-relay' as const), address, channels, on: fc.boolean() }),
  fc.record({ kind: fc.constant('start-relay-timer' as const), address, channels, seconds }),
  fc.record({ kind: fc.constant('relay-status-request' as const), address, channels }),
  fc.record({ kind: fc.constant('relay-status' as const), address, channel: fc.integer({ min: 1, max: 8 }), setting: byte, status: byte, led: byte, remainingSeconds: seconds }),
  fc.record({ kind: fc.constantFrom('bus-off' as const, 'bus-active' as const, 'buffer-full' as const, 'buffer-ready' as const) }),
);

describe('a message', () => {
  it.each(golden)('of the sheet %s', (_sheet, hex, message) => {
    const [frame] = new FrameParser().push(bytes(hex));
    expect(frame && decodeMessage(frame)).toEqual(message);
    expect(encodeFrame(encodeMessage(message))).toEqual(bytes(hex));
  });

  it('comes back from its frame as it was', () => {
    fc.assert(fc.property(anyMessage, (message) => {
      expect(decodeMessage(encodeMessage(message))).toEqual(message);
    }));
  });

  it('of another kind keeps its frame', () => {
    const [frame] = new FrameParser().push(bytes('0F FB 4D 07 CA 00 E4 4D 42 34 52 DF 04'));
    const message = frame && decodeMessage(frame);
    expect(message).toEqual({ kind: 'other', frame });
    expect(message && encodeMessage(message)).toBe(frame);
  });

  it.each([
    ['a relay status of two relays', 'FB 03 00 01 80 00 00 00'],
    ['a relay status of none', 'FB 00 00 01 80 00 00 00'],
    ['a relay status that is too short', 'FB 01 00 01 80 00 00'],
    ['a button status that is too long', '00 01 00 00 00'],
    ['a bare module type', 'FF'],
    ['no data at all', ''],
  ])('that no sheet has is another one: %s', (_what, data) => {
    expect(decodeMessage({ priority: 'low', address: 1, rtr: false, data: bytes(data) })).toMatchObject({ kind: 'other' });
  });

  it('is found in any frame, and makes the same frame again', () => {
    const anyFrame = fc.record({ priority: fc.constantFrom(...priorities), address, rtr: fc.constant(false), data: fc.uint8Array({ maxLength: maxDataLength }) });
    fc.assert(fc.property(anyFrame, (frame) => {
      const message = decodeMessage(frame);
      const again = encodeMessage(message);
      // Our messages have the priority that the sheets give them, and an interface speaks for nobody.
      expect(again.data).toEqual(frame.data);
      if ('address' in message) expect(again.address).toBe(frame.address);
    }));
  });
});
