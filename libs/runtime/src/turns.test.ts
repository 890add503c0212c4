import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

describe('turns', () => {
  it('are given in the order in which they were asked for, one at a time', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const change = async (name: string): Promise<void> => {
      using _turn = await turns.take('lamp', never);
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    };
    await Promise.all([change('first'), change('second'), change('third')]);
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
  });

  it('of different things do not wait for each other', async () => {
    const turns = new Turns();
    using _lamp = await turns.take('lamp', never);
    using _heater = await turns.take('heater', never);
  });

  it('pass over whoever gave up waiting, and not before whoever is at work has ended', async () => {
    const turns = new Turns();
    const first = await turns.take('lamp', never);
    const impatient = new AbortController();
    const second = turns.take('lamp', impatient.signal);
    let third = false;
    const thirdTurn = turns.take('lamp', never).then((turn) => {
      third = true;
      return turn;
    });
    impatient.abort(new Error('no longer wanted'));
    await expect(second).rejects.toThrow('no longer wanted');
    expect(third).toBe(false);
    first[Symbol.dispose]();
    (await thirdTurn)[Symbol.dispose]();
    using _fourth = await turns.take('lamp', never);
  });

  it('are not given to whoever gave up before asking', async () => {
    await expect(new Turns().take('lamp', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});
