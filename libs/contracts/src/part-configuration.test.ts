import { describe, expect, it } from 'vitest';
import { isMemoryLimit, partProblems } from './part-configuration.ts';

describe('what the manager is told', () => {
  it('is a limit of memory, or whether a plugin starts with the house', () => {
    expect(partProblems('manager', { 'memory-limit-mb.lamp': 300, 'memory-limit-mb.fan': 0, 'autostart.lamp': false })).toEqual({});
  });

  it('is refused with the reason where it is neither', () => {
    expect(partProblems('manager', { 'memory-limit-mb.lamp': 'lots', 'memory-limit-mb.fan': 15, 'autostart.lamp': 'yes' })).toEqual({
      'memory-limit-mb.lamp': 'must be a whole number of MiB, 16 at least, or 0 for no limit',
      'memory-limit-mb.fan': 'must be a whole number of MiB, 16 at least, or 0 for no limit',
      'autostart.lamp': 'must be true or false',
    });
  });

  it('is refused under a key that nobody reads', () => {
    const unknown = 'is not known; known: autostart.PLUGIN, memory-limit-mb.PLUGIN; the settings of manager stand in majordomus.toml in the home, and hold from the next start on';
    expect(partProblems('manager', { 'memory-limit-mb': 300, 'memory-limit.lamp': 300, 'memory-limit-mb.No Plugin': 300 })).toEqual({ 'memory-limit-mb': unknown, 'memory-limit.lamp': unknown, 'memory-limit-mb.No Plugin': unknown });
  });
});

it('what the house keeps for itself is whether it was furnished, and whether the host has joined', () => {
  expect(partProblems('house', { furnished: true, joined: false })).toEqual({});
  expect(partProblems('house', { furnished: 'yes' })).toEqual({ furnished: 'must be true or false' });
  expect(partProblems('house', { colour: 'red' })).toEqual({ colour: expect.stringMatching(/^is not known; known: furnished, joined; .* majordomus\.toml/) as string });
});

it.each(['broker', 'dbmanager', 'packagemanager'])('%s is told nothing here: its settings stand in majordomus.toml', (part) => {
  const reason = expect.stringMatching(new RegExp(`^is not kept here: the settings of ${part} stand in majordomus\\.toml`)) as string;
  expect(partProblems(part, { 'history-days': 5, constructor: 1 })).toEqual({ 'history-days': reason, constructor: reason });
});

it('what a plugin is told is not looked at here', () => {
  for (const plugin of ['lamp', '__proto__', 'constructor']) expect(partProblems(plugin, { anything: 'lots' })).toEqual({});
});

it.each<[unknown, boolean]>([[0, true], [16, true], [100_000, true], [15, false], [-1, false], [64.5, false], ['64', false], [Infinity, false], [null, false], [true, false]])('%s as a limit of memory: %s', (value, may) => {
  expect(isMemoryLimit(value)).toBe(may);
});
