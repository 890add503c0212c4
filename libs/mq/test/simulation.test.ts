// Two machines, or seventeen, played against each other: the real broker, clients and workers over a network that loses,
// delays, reorders and breaks, with processes that are suspended, killed and started again. Everything follows from a seed:
// SIMULATION_SEED=7 plays that one alone, SIMULATION_SEEDS=5000 plays more than usual.
import { describe, expect, it } from 'vitest';
import { House } from './simulation/house.ts';

const only = process.env['SIMULATION_SEED'];
const count = Number(process.env['SIMULATION_SEEDS'] ?? 150);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];

describe('a house in a storm', () => {
  it('keeps every promise of the protocol, whatever the seed', { timeout: 600_000 }, () => {
    let steps = 0;
    const endings: Record<string, number> = {};
    for (const seed of seeds) {
      try {
        const outcome = new House(seed).run();
        steps += outcome.steps;
        for (const [ending, times] of Object.entries(outcome.endings)) endings[ending] = (endings[ending] ?? 0) + times;
      } catch (error) {
        throw new Error(`seed ${seed} breaks a promise (SIMULATION_SEED=${seed} plays it again): ${String(error)}`, { cause: error });
      }
    }
    if (only !== undefined) return;
    expect(steps / seeds.length).toBeGreaterThan(2000);
    // The storm is one: every way to end was seen.
    expect(Object.keys(endings).sort()).toEqual([
      'ABORTED', 'BROKER_LOST', 'DEADLINE_EXCEEDED', 'NOT_CONNECTED', 'OVERLOADED', 'SERVICE_UNKNOWN', 'TOO_LARGE', 'WORKER_LOST', 'reply',
    ]);
  });
});
