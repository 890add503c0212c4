// What is done to the house, on whom, when and for how long: a pure function of the seed and of the kinds of blows that are
// wanted. It reads no clock and knows nothing of the house that it is for.
import { Random } from '../src/random.ts';

/** Every kind of blow, with what it does. */
export const blowKinds = {
  kill: 'kill -9 of a part or a plugin',
  order: 'SIGTERM to the broker, which ends in good order and is started again',
  stop: 'SIGSTOP to a part or a plugin, and SIGCONT after a while',
  up: 'kill -9 of "domus up", which is started again as a service manager would',
  full: 'the disk is full for a while (a tmpfs; needs root)',
  slow: 'each fsync of dbmanager is slow for a while (needs strace)',
  broken: 'each fsync of dbmanager fails with EIO for a while (needs strace)',
  garbage: 'garbage on the broker’s socket',
  reset: 'connections of clients and of a plugin are reset',
} as const;
export type BlowKind = keyof typeof blowKinds;
export const allKinds = Object.keys(blowKinds) as [BlowKind, ...BlowKind[]];

export const parts = ['broker', 'dbmanager', 'packagemanager', 'manager'] as const;
export const plugins = ['tally', 'sysload', 'diskfree'] as const;
export type Target = (typeof parts)[number] | (typeof plugins)[number];
const targets: readonly [Target, ...Target[]] = [...parts, ...plugins];

/** Ends and hangs are what a house meets most. */
const often: readonly BlowKind[] = ['kill', 'kill', 'stop', 'stop'];
/** What a round ends with, so that there is something to mend. */
const hard: readonly BlowKind[] = ['kill', 'order', 'up'];

export const garbageKinds = ['bytes', 'half a greeting', 'wrong frames', 'a frame without end'] as const;

export type Blow = { /** From the beginning of the round. */ readonly atMs: number } & (
  | { readonly kind: 'kill'; readonly target: Target }
  | { readonly kind: 'order' }
  | { readonly kind: 'stop'; readonly target: Target; readonly forMs: number }
  | { readonly kind: 'up' }
  | { readonly kind: 'full'; readonly forMs: number }
  | { readonly kind: 'slow'; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'broken'; readonly forMs: number }
  | { readonly kind: 'garbage'; readonly what: (typeof garbageKinds)[number]; readonly connections: number }
  | { readonly kind: 'reset' }
);

/** Blows, after which the house must be whole; then `up` is ended and started anew, so that nobody's failures add up over rounds. */
export interface Round {
  readonly number: number;
  readonly blows: readonly Blow[];
  readonly renewal: 'kill' | 'stop';
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly kinds: readonly [BlowKind, ...BlowKind[]];
  /** How long the blows of a round go on. */
  readonly roundMs: number;
}

/** A process that fails often is started ever later, by design; within this number in a round the pauses stay below a second. */
const failuresOfOneTarget = 2;
/** Who is silent for so long is killed by its supervisor as hung, which is a failure. */
const hangMs = 9000;
const longStopPart = 0.08;

/** The round of this number, from 1. */
export function roundOf({ seed, kinds, roundMs }: ScheduleOptions, number: number): Round {
  const random = new Random(seed * 1000 + number);
  const blows: Blow[] = [];
  const failures = new Map<Target, number>();
  const mayFail = (target: Target): boolean => (failures.get(target) ?? 0) < failuresOfOneTarget;
  const fails = (target: Target): void => void failures.set(target, (failures.get(target) ?? 0) + 1);
  /** When the disk is as it should be again: it has one ill at a time. */
  let diskFreeMs = 0;
  let hasUp = false;
  const [first, ...others] = kinds;
  const choice = [first, ...others, ...often.filter((kind) => kinds.includes(kind))] as const;
  const add = (kind: BlowKind, atMs: number): void => {
    switch (kind) {
      case 'kill': {
        const target = random.pick(targets);
        if (!mayFail(target)) break;
        fails(target);
        blows.push({ atMs, kind, target });
        break;
      }
      case 'order':
        if (!mayFail('broker')) break;
        fails('broker');
        blows.push({ atMs, kind });
        break;
      case 'stop': {
        const target = random.pick(targets);
        const isLong = random.next() < longStopPart;
        const forMs = isLong ? random.between(11_000, 13_000) : random.between(100, 4000);
        if (!mayFail(target)) break;
        if (forMs > hangMs) fails(target);
        blows.push({ atMs, kind, target, forMs });
        break;
      }
      case 'up':
        if (hasUp) break;
        hasUp = true;
        blows.push({ atMs, kind });
        break;
      case 'full':
      case 'slow':
      case 'broken': {
        const forMs = random.between(500, 5000);
        const delayMs = random.between(50, 400);
        if (atMs < diskFreeMs) break;
        diskFreeMs = atMs + forMs + 500;
        blows.push(kind === 'slow' ? { atMs, kind, forMs, delayMs } : { atMs, kind, forMs });
        break;
      }
      case 'garbage':
        blows.push({ atMs, kind, what: random.pick(garbageKinds), connections: random.between(1, 20) });
        break;
      case 'reset':
        blows.push({ atMs, kind });
        break;
      default:
        kind satisfies never;
    }
  };
  for (let atMs = random.between(300, 1500); atMs < roundMs; atMs += random.between(200, 2500)) add(random.pick(choice), atMs);
  const [last, ...otherLast] = hard.filter((kind) => kinds.includes(kind));
  if (last !== undefined) add(random.pick([last, ...otherLast]), roundMs);
  return { number, blows, renewal: kinds.includes('up') && random.next() < 0.5 ? 'kill' : 'stop' };
}

/** What a blow is, in a few words. */
export function blowText(blow: Blow): string {
  switch (blow.kind) {
    case 'kill':
      return `kill -9 ${blow.target}`;
    case 'order':
      return 'SIGTERM broker';
    case 'stop':
      return `SIGSTOP ${blow.target} for ${seconds(blow.forMs)}`;
    case 'up':
      return 'kill -9 domus up';
    case 'full':
      return `disk full for ${seconds(blow.forMs)}`;
    case 'slow':
      return `fsync takes ${blow.delayMs} ms more for ${seconds(blow.forMs)}`;
    case 'broken':
      return `fsync fails for ${seconds(blow.forMs)}`;
    case 'garbage':
      return `${blow.what} from ${blow.connections} connection${blow.connections === 1 ? '' : 's'}`;
    case 'reset':
      return 'connections reset';
    default:
      return blow satisfies never;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
