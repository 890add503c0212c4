import { describe, expect, it } from 'vitest';
import { BusModel, changeText } from './bus-model.ts';
import type { Message } from './message.ts';

const vmb4ry: Message = { kind: 'module-type', address: 1, type: 0x08, details: [] };
const vmb4ryno: Message = { kind: 'module-type', address: 2, type: 0x11, details: [] };
const vmb8pb: Message = { kind: 'module-type', address: 3, type: 0x01, details: [] };
const relayStatus = (address: number, channel: number, status: number, remainingSeconds = 0): Message => ({ kind: 'relay-status', address, channel, setting: 0, status, led: 0, remainingSeconds });
const buttons = (address: number, pressed: number[], released: number[] = [], longPressed: number[] = []): Message => ({ kind: 'button-status', address, pressed, released, longPressed });

function model(...messages: readonly Message[]): BusModel {
  const made = new BusModel();
  for (const message of messages) made.apply(message);
  return made;
}

describe('what is known of the bus', () => {
  it('begins with nothing, and learns modules by what they say they are, in the order of their addresses', () => {
    expect(model().modules).toEqual([]);
    const { modules } = model(vmb8pb, vmb4ry, { kind: 'module-type', address: 9, type: 0xee, details: [] });
    expect(modules.map(({ address, about: { name } }) => [address, name])).toEqual([[1, 'VMB4RY'], [3, 'VMB8PB'], [9, 'type 0xEE']]);
  });

  it('asks a new relay module once how its relays are', () => {
    const made = model(vmb4ry);
    const questions = [1, 2, 3, 4].map((channel) => ({ kind: 'relay-status-request', address: 1, channels: [channel] }));
    expect(made.takeQuestions()).toEqual(questions);
    made.apply(vmb4ry);
    expect(made.takeQuestions()).toEqual([]);
  });

  it('asks once what it is that speaks and is not known', () => {
    const made = model(relayStatus(7, 1, 1), buttons(7, [1]));
    expect(made.takeQuestions()).toEqual([{ kind: 'module-type-request', address: 7 }]);
    expect(made.modules).toEqual([]);
  });

  it('knows a relay by the bit of its channel on the first modules, and by 1 or 3 on the later ones', () => {
    const made = model(vmb4ry, vmb4ryno, relayStatus(1, 2, 0b0010), relayStatus(1, 3, 0b0010), relayStatus(2, 4, 1), relayStatus(2, 5, 3, 60), relayStatus(2, 1, 2));
    expect([...(made.module(1)?.relays ?? [])]).toEqual([[2, { on: true, remainingSeconds: 0 }], [3, { on: false, remainingSeconds: 0 }]]);
    expect([...(made.module(2)?.relays ?? [])]).toEqual([[4, { on: true, remainingSeconds: 0 }], [5, { on: true, remainingSeconds: 60 }], [1, { on: false, remainingSeconds: 0 }]]);
  });

  it('takes no relay that the module does not have', () => {
    expect(model(vmb4ry, relayStatus(1, 5, 0b10000)).module(1)?.relays.size).toBe(0);
  });

  it('follows buttons from pressed over long-pressed to released', () => {
    const made = model(vmb8pb);
    const states = [buttons(3, [4]), buttons(3, [], [], [4]), buttons(3, [], [4])].map((message) => {
      made.apply(message);
      return made.module(3)?.buttons.get(4);
    });
    expect(states).toEqual(['pressed', 'long-pressed', 'released']);
  });

  it('takes what a relay module tells as buttons for its relays, and its local buttons for nothing', () => {
    const made = model(vmb4ry, buttons(1, [2, 5]), buttons(1, [], [1], [2]));
    expect([...(made.module(1)?.relays ?? [])]).toEqual([[2, { on: true, remainingSeconds: 0 }], [1, { on: false, remainingSeconds: 0 }]]);
    expect(made.module(1)?.buttons.size).toBe(0);
  });

  it('tells what changed: every button, and a relay that was known to be otherwise', () => {
    const made = model(vmb4ry, vmb8pb);
    const changes = [relayStatus(1, 1, 0), relayStatus(1, 1, 1), buttons(1, [1]), relayStatus(1, 1, 1, 60), buttons(1, [], [1]), buttons(3, [2], [4]), buttons(3, [2]), vmb4ry].map((message) => made.apply(message).map(changeText));
    expect(changes).toEqual([
      [], ['relay 1 at address 1 (0x01) is on'], [], [], ['relay 1 at address 1 (0x01) is off'],
      ['button 2 at address 3 (0x03) is pressed', 'button 4 at address 3 (0x03) is released'], ['button 2 at address 3 (0x03) is pressed'], [],
    ]);
  });

  it('forgets the states, and asks again, when a connection begins', () => {
    const made = model(vmb4ry, vmb8pb, relayStatus(1, 1, 1), buttons(3, [1]));
    made.takeQuestions();
    made.connected();
    expect(made.modules.map(({ relays, buttons: pressed }) => [relays.size, pressed.size])).toEqual([[0, 0], [0, 0]]);
    expect(made.takeQuestions()).toHaveLength(4);
  });

  it('learns a module anew that was replaced by one of another type', () => {
    const made = model(vmb4ry, relayStatus(1, 1, 1), { kind: 'module-type', address: 1, type: 0x02, details: [] });
    expect(made.modules.map(({ about, relays }) => [about.name, relays.size])).toEqual([['VMB1RY', 0]]);
  });

  it('knows when the interface takes no frames', () => {
    const made = model();
    const holds = (['buffer-full', 'bus-off', 'buffer-ready', 'bus-active'] as const).map((kind) => {
      made.apply({ kind });
      return made.hold;
    });
    expect(holds).toEqual(['buffer-full', 'bus-off', 'bus-off', undefined]);
    made.apply({ kind: 'bus-off' });
    made.connected();
    expect(made.hold).toBeUndefined();
  });

  it('does not heed what others ask and order', () => {
    const made = model({ kind: 'switch-relay', address: 1, channels: [1], on: true }, { kind: 'module-type-request', address: 4 });
    expect({ modules: made.modules, questions: made.takeQuestions() }).toEqual({ modules: [], questions: [] });
  });
});
