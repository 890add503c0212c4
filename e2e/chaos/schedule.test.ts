import { describe, expect, it } from 'vitest';
import { commandOf, readArguments, refuseImpossible, UsageError } from './options.ts';
import { allKinds, blowText, roundOf, type BlowKind, type Round } from './schedule.ts';

const all: readonly [BlowKind, ...BlowKind[]] = allKinds;
const rounds = (seed: number, kinds = all): Round[] => Array.from({ length: 40 }, (_none, index) => roundOf({ seed, kinds, roundMs: 25_000 }, index + 1));

describe('the schedule of chaos', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(rounds(7)).toEqual(rounds(7));
    expect(rounds(7)).not.toEqual(rounds(8));
    expect(rounds(7)[0]).not.toEqual(rounds(7)[1]);
  });

  it('stays as it is: a seed that was written down a year ago still means the same', () => {
    expect(roundOf({ seed: 1, kinds: all, roundMs: 6000 }, 1).blows.map((blow) => `${blow.atMs} ${blowText(blow)}`)).toMatchInlineSnapshot(`
      [
        "1180 kill -9 tally",
        "2901 kill -9 diskfree",
        "5396 kill -9 broker",
        "5674 SIGTERM broker",
        "5969 kill -9 diskfree",
        "6000 kill -9 domus up",
      ]
    `);
  });

  it('has every kind of blow that is wanted, in its time, and no other', () => {
    expect(new Set(rounds(3).flatMap(({ blows }) => blows.map(({ kind }) => kind)))).toEqual(new Set(all));
    expect(new Set(rounds(3, ['stop', 'reset']).flatMap(({ blows }) => blows.map(({ kind }) => kind)))).toEqual(new Set(['stop', 'reset']));
    for (const { blows } of rounds(3)) expect(blows.every(({ atMs }, index) => atMs <= 25_000 && atMs >= (blows[index - 1]?.atMs ?? 0))).toBe(true);
  });

  it('makes nobody fail more than twice in a round, after which its pauses would be long by design', () => {
    for (const { blows } of rounds(11, ['kill', 'order', 'stop'])) {
      const failing = blows.flatMap((blow) => {
        if (blow.kind === 'kill' || (blow.kind === 'stop' && blow.forMs > 9000)) return [blow.target];
        return blow.kind === 'order' ? ['broker'] : [];
      });
      for (const target of failing) expect(failing.filter((other) => other === target).length).toBeLessThanOrEqual(2);
    }
  });

  it('gives the disk one ill at a time', () => {
    for (const { blows } of rounds(5)) {
      const ills = blows.flatMap((blow) => (blow.kind === 'full' || blow.kind === 'slow' || blow.kind === 'broken' ? [blow] : []));
      for (const [index, ill] of ills.entries()) expect(ill.atMs).toBeGreaterThan((ills[index - 1]?.atMs ?? -1) + (ills[index - 1]?.forMs ?? 0));
    }
  });

  it('kills domus up between rounds only where that is wanted', () => {
    expect(new Set(rounds(2).map(({ renewal }) => renewal))).toEqual(new Set(['kill', 'stop']));
    expect(new Set(rounds(2, ['kill']).map(({ renewal }) => renewal))).toEqual(new Set(['stop']));
  });
});

describe('the command line of chaos', () => {
  it('takes seed, minutes and kinds', () => {
    expect(readArguments(['--seed', '7', '--minutes', '0.5', '--round', '14', '--only', 'kill,stop'], 1)).toEqual({ seed: 7, minutes: 0.5, roundMs: 14_000, kinds: ['kill', 'stop'], isOnly: true, schedule: false, help: false });
    expect(readArguments([], 99)).toMatchObject({ seed: 99, minutes: 2, kinds: all });
    expect(readArguments(['--without', 'full'], 1).kinds).toEqual(all.filter((kind) => kind !== 'full'));
  });

  it.each(['', ' --only kill,stop', ' --without full,slow', ' --round 14', ' --round 14 --without garbage'])('says what runs the same again: %j', (chosen) => {
    const command = `npx -y pnpm chaos --seed 7 --minutes 2${chosen}`;
    expect(commandOf(readArguments(command.split(' ').slice(4), 1))).toBe(command);
  });

  it('refuses what cannot be done here, if it was named or nothing else is left', () => {
    const impossible = new Map<BlowKind, string>([['full', 'only root can']]);
    expect(() => refuseImpossible(readArguments(['--only', 'kill,full'], 1), impossible)).toThrow(/cannot be done here: full \(only root can\)/);
    expect(() => refuseImpossible(readArguments(['--without', all.filter((kind) => kind !== 'full').join(',')], 1), impossible)).toThrow(UsageError);
    expect(() => refuseImpossible(readArguments([], 1), impossible)).not.toThrow();
    expect(() => refuseImpossible(readArguments(['--only', 'kill'], 1), impossible)).not.toThrow();
  });

  it.each([
    [['--seed', 'x'], /--seed: "x"/],
    [['--seed', '1.5'], /--seed: "1.5"/],
    [['--minutes', '0'], /--minutes: "0"/],
    [['--round', '0'], /--round: "0"/],
    [['--only', 'kil'], /there is no kind of blow "kil"; known: kill, /],
    [['--only', 'kill', '--without', 'stop'], /exclude each other/],
    [['--without', all.join(',')], /no kind of blow is left/],
    [['--sed', '1'], /--sed.*--help/],
  ] as const)('refuses %j', (args, message) => {
    expect(() => readArguments(args, 1)).toThrow(UsageError);
    expect(() => readArguments(args, 1)).toThrow(message);
  });
});
