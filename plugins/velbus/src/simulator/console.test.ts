import { describe, expect, it } from 'vitest';
import { consoleHelp, messageText, runConsoleLine } from './console.ts';
import { garbage, noFaults, spoil } from './faults.ts';
import { threeModules } from './simulated-bus.ts';
import { SimulatorLine } from './simulator-line.ts';

describe('what is typed at the simulator', () => {
  it.each([
    ['press 3 1', 'button 1 of the VMB8PB was pressed'],
    ['  press   3  8 ', 'button 8 of the VMB8PB was pressed'],
    ['press 3 9', 'the VMB8PB has buttons 1 to 8'],
    ['press 1 1', 'the VMB4RY has no buttons'],
    ['press 4 1', 'there is no module at address 4'],
    ['press', 'there is no module at address 0'],
    ['fragment on', 'fragment on'],
    ['fragment', 'fragment cannot be used so; it is:\nfragment on|off        each byte comes alone'],
    ['garble 3', 'garble 3'],
    ['garble -1', 'garble cannot be used so; it is:\ngarble N               garbage before every Nth frame; 0 for none'],
    ['drop 2', 'drop 2'],
    ['garbage', 'garbage sent'],
    ['mute on', 'mute on'],
    ['bus off', 'bus off'],
    ['hangup', 'all connections are ended'],
    ['dance', 'there is no command "dance"; help gives all'],
    ['help', consoleHelp],
    ['', ''],
  ])('%s', (typed, answer) => {
    expect(runConsoleLine(new SimulatorLine(threeModules()), typed)).toBe(answer);
  });

  it('changes the line', () => {
    const line = new SimulatorLine(threeModules());
    for (const typed of ['garble 2', 'drop 3', 'fragment on', 'mute on', 'press 3 1']) runConsoleLine(line, typed);
    expect({ faults: line.faults, muted: line.muted }).toEqual({ faults: { garbleEvery: 2, dropEvery: 3, fragment: true }, muted: true });
    expect(runConsoleLine(line, 'status')?.split('\n')[0]).toBe('0x01 VMB4RY  relay 1 on, relay 2 off, relay 3 off, relay 4 off');
  });

  it('ends with quit', () => {
    expect(runConsoleLine(new SimulatorLine(threeModules()), 'quit')).toBeUndefined();
  });

  it('is answered by what happens', () => {
    const told: (string | undefined)[] = [];
    const line = new SimulatorLine(threeModules(), { onMessage: (message) => told.push(messageText(message)) });
    runConsoleLine(line, 'press 3 2');
    expect(told.filter((text) => text !== undefined)).toEqual(['relay 2 at 0x01 is on']);
  });
});

describe('a bad line', () => {
  const frame = Uint8Array.of(1, 2, 3);

  it('that is none gives the frame', () => {
    expect(spoil(frame, 1, noFaults)).toEqual([Buffer.from(frame)]);
  });

  it('garbles and drops as often as it is told', () => {
    const faults = { fragment: false, garbleEvery: 2, dropEvery: 3 };
    expect([1, 2, 3, 6].map((number) => spoil(frame, number, faults))).toEqual([[Buffer.from(frame)], [Buffer.from([...garbage, ...frame])], [], [Buffer.from(garbage)]]);
  });

  it('cuts into bytes', () => {
    expect(spoil(frame, 1, { ...noFaults, fragment: true })).toEqual([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
  });
});
