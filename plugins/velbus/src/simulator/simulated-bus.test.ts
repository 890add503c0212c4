import { describe, expect, it } from 'vitest';
import type { Message } from '../message.ts';
import { SimulatedBus, threeModules } from './simulated-bus.ts';
import { SimulatedModule } from './simulated-module.ts';

const on = (channel: number, address = 1): Message => ({ kind: 'switch-relay', address, channels: [channel], on: true });
const status = (address: number, channel: number, value: number, led: number, remainingSeconds = 0): Message => ({ kind: 'relay-status', address, channel, setting: 0, status: value, led, remainingSeconds });

describe('the simulated bus', () => {
  it('has three modules that say what they are, and nobody else answers', () => {
    const bus = threeModules();
    const answers = [1, 2, 3, 4, 0].flatMap((address) => bus.hear({ kind: 'module-type-request', address }, 0));
    expect(answers).toMatchObject([{ address: 1, type: 0x08 }, { address: 2, type: 0x02 }, { address: 3, type: 0x01 }]);
  });

  it('tells a relay that changes as a button and by its status, in the bits of its module; one that does not change is silent', () => {
    const bus = threeModules();
    expect(bus.hear(on(3), 0)).toEqual([{ kind: 'button-status', address: 1, pressed: [3], released: [], longPressed: [] }, status(1, 3, 0b100, 0x80)]);
    expect(bus.hear(on(3), 0)).toEqual([]);
    expect(bus.hear({ kind: 'relay-status-request', address: 1, channels: [3] }, 0)).toEqual([status(1, 3, 0b100, 0x80)]);
    expect(bus.hear({ kind: 'switch-relay', address: 1, channels: [3], on: false }, 0)).toEqual([{ kind: 'button-status', address: 1, pressed: [], released: [3], longPressed: [] }, status(1, 3, 0, 0)]);
  });

  it('has 1 for on in a later module', () => {
    const bus = new SimulatedBus([new SimulatedModule({ address: 7, type: 0x11, details: [] })]);
    expect(bus.hear(on(4, 7), 0).at(-1)).toEqual(status(7, 4, 1, 0x80));
  });

  it('has no relays but its own', () => {
    expect(threeModules().hear(on(5), 0)).toEqual([]);
    expect(threeModules().hear(on(1, 3), 0)).toEqual([]);
  });

  it('switches off by a timer, which starts again when it is set again', () => {
    const bus = threeModules();
    const timer: Message = { kind: 'start-relay-timer', address: 2, channels: [1], seconds: 10 };
    expect(bus.hear(timer, 0).at(-1)).toEqual(status(2, 1, 1, 0x20, 10));
    expect(bus.nextMs).toBe(10_000);
    expect(bus.hear({ kind: 'relay-status-request', address: 2, channels: [1] }, 4000)).toEqual([status(2, 1, 1, 0x20, 6)]);
    expect(bus.hear(timer, 4000)).toEqual([status(2, 1, 1, 0x20, 10)]);
    expect(bus.tick(13_999)).toEqual([]);
    expect(bus.tick(14_000).at(-1)).toEqual(status(2, 1, 0, 0));
    expect(bus.nextMs).toBe(Infinity);
  });

  it('stays on for ever when a timer is set to that', () => {
    const bus = threeModules();
    bus.hear({ kind: 'start-relay-timer', address: 2, channels: [1], seconds: 0xff_ff_ff }, 0);
    expect({ on: bus.module(2)?.isOn(1), nextMs: bus.nextMs }).toEqual({ on: true, nextMs: Infinity });
  });

  it.each([[1, 1, 1], [4, 1, 4], [5, 2, 1]])('button %i toggles the relay of module %i', (button, address, relay) => {
    const bus = threeModules();
    const first = bus.press(3, button, 0);
    expect(first[0]).toEqual({ kind: 'button-status', address: 3, pressed: [button], released: [], longPressed: [] });
    expect(first).toContainEqual(expect.objectContaining({ kind: 'relay-status', address, channel: relay }));
    expect(bus.module(address)?.isOn(relay)).toBe(true);
    bus.press(3, button, 0);
    expect(bus.module(address)?.isOn(relay)).toBe(false);
  });
});
