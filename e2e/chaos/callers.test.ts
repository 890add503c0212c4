// The callers of a chaos run, before a broker that is not there: the last look at what was acknowledged must not pass in silence.
import { expect, it } from 'vitest';
import { Standstill } from '../src/standstill.ts';
import { freePort } from './bus-proxy.ts';
import { Callers } from './callers.ts';
import { ConfigModel } from './config-model.ts';
import { DeadlineWitness } from './deadlines.ts';
import { AnswerWitness } from './instance-witness.ts';

it('a key that cannot be read at the end is told as a broken promise', async () => {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const model = new ConfigModel();
  model.ended('a', model.attempt('a'), 'acknowledged');
  const breaches: string[] = [];
  using standstill = new Standstill();
  const callers = new Callers({
    seed: 1, host: 'igor', endpoints: [endpoint, endpoint], model, standstill, deadlines: new DeadlineWitness(), answers: new AnswerWitness(),
    breach: (invariant, what) => breaches.push(`${invariant}: ${what}`),
  });
  try {
    await callers.readAll(100);
    expect(breaches).toContainEqual(expect.stringMatching(/^writes: a cannot be read: [A-Z_]+: ./));
  } finally {
    await callers.stop();
  }
});
