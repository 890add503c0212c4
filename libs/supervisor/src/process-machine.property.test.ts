// Whatever happens in whatever order, as long as it can happen to a real process: never two processes, never a
// wait without a deadline, never an effect on what is not there, and a stop always ends as stopped.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessEffect, ProcessInput } from './process-input.ts';
import { machineDefaults, ProcessMachine } from './process-machine.ts';

type Step =
  | { readonly do: 'give'; readonly input: ProcessInput }
  | { readonly do: 'let-it-end' }
  | { readonly do: 'deadline' }
  | { readonly do: 'pass'; readonly ms: number };

const inputs: readonly ProcessInput[] = [
  { type: 'start' }, { type: 'start' }, { type: 'stop' }, { type: 'restart' }, { type: 'starting' }, { type: 'alive' }, { type: 'ready' },
  { type: 'not-ready', reason: 'waits' }, { type: 'registered' }, { type: 'ask-failed' }, { type: 'tick' },
  { type: 'memory-exceeded', usedMb: 300, limitMb: 200 }, { type: 'spawned', pid: 7 }, { type: 'spawn-failed', reason: 'EAGAIN' },
];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...inputs).map((input) => ({ do: 'give' as const, input })) },
  { weight: 2, arbitrary: fc.constant({ do: 'let-it-end' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'deadline' as const }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 200_000 }).map((ms) => ({ do: 'pass' as const, ms })) },
);

/** The world around one machine: whether a process is there, and the checks of every effect against it. */
class World {
  readonly machine: ProcessMachine;
  process: 'none' | 'spawning' | 'runs' = 'none';
  hasSpoken = false;
  nowMs = 0;

  constructor(asksRegistration: boolean) {
    this.machine = new ProcessMachine(machineDefaults, () => 0.5, { asksRegistration });
  }

  take(step: Step): void {
    switch (step.do) {
      case 'give':
        return this.give(step.input);
      case 'let-it-end':
        return this.give({ type: 'exited', code: 1, signal: null });
      case 'deadline':
        this.nowMs = Math.max(this.nowMs, this.machine.deadlineMs ?? 0);
        return this.give({ type: 'tick' });
      case 'pass':
        this.nowMs += step.ms;
        return;
      default:
        step satisfies never;
    }
  }

  give(input: ProcessInput): void {
    if (!this.#canHappen(input)) return;
    if (input.type === 'spawned') this.process = 'runs';
    if (input.type === 'exited' || input.type === 'spawn-failed') this.process = 'none';
    if (['starting', 'alive', 'ready', 'not-ready'].includes(input.type)) this.hasSpoken = true;
    for (const effect of this.machine.handle(input, this.nowMs)) this.#check(effect);
    this.#checkState();
  }

  #canHappen({ type }: ProcessInput): boolean {
    switch (type) {
      case 'spawned':
      case 'spawn-failed':
        return this.process === 'spawning';
      case 'starting':
      case 'alive':
      case 'ready':
      case 'not-ready':
      case 'exited':
        return this.process === 'runs';
      default:
        return true;
    }
  }

  #check(effect: ProcessEffect): void {
    expect(this.process === 'none', `${effect} while the process is: ${this.process}`).toBe(effect === 'spawn');
    if (effect === 'spawn') {
      this.process = 'spawning';
      this.hasSpoken = false;
    }
  }

  #checkState(): void {
    const { state, pid } = this.machine.view;
    expect(pid !== null).toBe(this.process === 'runs');
    expect(['stopped', 'backoff', 'failed'].includes(state)).toBe(this.process === 'none');
    const waits = ['starting', 'stopping', 'backoff', 'failed'].includes(state) || (state !== 'stopped' && this.hasSpoken);
    if (waits) expect(this.machine.deadlineMs, state).toBeDefined();
    if (state === 'stopped') expect(this.machine.deadlineMs).toBeUndefined();
  }
}

describe('the process machine, whatever happens', () => {
  it('keeps its rules', () => {
    fc.assert(fc.property(fc.boolean(), fc.array(step, { maxLength: 80 }), (asksRegistration, steps) => {
      const world = new World(asksRegistration);
      for (const next of steps) world.take(next);

      world.give({ type: 'stop' });
      for (let deadline = 0; deadline < 3; deadline += 1) if (world.machine.view.state === 'stopping') world.take({ do: 'deadline' });
      world.give({ type: 'spawned', pid: 8 });
      world.take({ do: 'let-it-end' });
      expect(world.machine.view).toMatchObject({ state: 'stopped', pid: null, reason: '' });
      world.nowMs += 86_400_000;
      expect(world.machine.handle({ type: 'tick' }, world.nowMs)).toEqual([]);
      expect(world.machine.view.state).toBe('stopped');
    }), { numRuns: 2000 });
  });

  it('moves on at each deadline: no tick is asked for twice', () => {
    fc.assert(fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (asksRegistration, steps) => {
      const world = new World(asksRegistration);
      for (const next of steps) {
        world.take(next);
        const due = world.machine.deadlineMs;
        if (due === undefined || next.do !== 'deadline') continue;
        expect(due).toBeGreaterThan(world.nowMs);
      }
    }), { numRuns: 1000 });
  });

  it('always comes back: a process that is not stopped and ends for ever is tried again for ever', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World(false);
      for (const next of steps) world.take(next);
      world.give({ type: 'start' });
      let spawns = 0;
      for (let turn = 0; turn < 40; turn += 1) {
        if (world.process === 'spawning') spawns += 1;
        world.give({ type: 'spawned', pid: 9 });
        world.take({ do: 'let-it-end' });
        world.take({ do: 'deadline' });
      }
      expect(spawns).toBeGreaterThan(30);
    }), { numRuns: 300 });
  });
});
