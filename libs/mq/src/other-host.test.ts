// One host passes on what is meant for another: on a bus in memory, with two hosts.
import { ActionFailure, contract } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Broker } from './broker.ts';
import { Client } from './client.ts';
import { Handlers } from './handlers.ts';
import { memoryTransport } from './memory.ts';
import { onOwnHost } from './other-host.ts';
import { Worker } from './worker.ts';

const endpoint = 'memory://house';
const timeoutMs = 1000;

const lampDim = contract({
  service: 'lamps',
  action: 'lamp.dim',
  summary: 'Dims a lamp.',
  input: z.object({ id: z.string(), percent: z.number() }),
  output: z.object({ where: z.string(), name: z.string(), percent: z.number() }),
  errors: { LAMP_BROKEN: 'The lamp is broken.', HOST_UNKNOWN: 'No lamps of that host are on the bus.' },
});

/** A house with the hosts; a lamp `broken` refuses, and `stuck` never answers. */
class House implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly client: Client;

  static async of(...hosts: readonly string[]): Promise<House> {
    const transport = memoryTransport();
    const stack = new AsyncDisposableStack();
    stack.use(await Broker.bind({ endpoint, transport, limits: { discoveryGraceMs: 20 } }));
    for (const host of hosts) {
      const local = onOwnHost({ host, client: stack.use(new Client({ endpoint, transport })), timeoutMs });
      const handlers = new Handlers().on(lampDim, local(lampDim, async (name, { percent }, { signal }) => {
        if (name === 'broken') throw new ActionFailure('LAMP_BROKEN', `the lamp of ${host} is broken`, { since: 'yesterday' });
        if (name === 'stuck') await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return { where: host, name, percent };
      }));
      await stack.use(new Worker({ endpoint, transport, service: `${host}.lamps`, handlers, capacity: 4 }).start()).registered();
    }
    return new House(stack, stack.use(new Client({ endpoint, transport })));
  }

  private constructor(stack: AsyncDisposableStack, client: Client) {
    this.#stack.use(stack);
    this.client = client;
  }

  async dim(id: string): Promise<unknown> {
    return await this.client.call(lampDim, { id, percent: 40 }, { service: 'igor.lamps' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

describe('what is asked of one host', () => {
  it.each(['hall', 'igor.hall'])('and is its own is answered there: %s', async (id) => {
    await using house = await House.of('igor', 'attic');
    expect(await house.dim(id)).toEqual({ where: 'igor', name: 'hall', percent: 40 });
  });

  it('and is meant for another is answered by that one', async () => {
    await using house = await House.of('igor', 'attic');
    expect(await house.dim('attic.hall')).toEqual({ where: 'attic', name: 'hall', percent: 40 });
  });

  it('and is refused by another is refused in its words, with its code and details', async () => {
    await using house = await House.of('igor', 'attic');
    await expect(house.dim('attic.broken')).rejects.toMatchObject({ code: 'LAMP_BROKEN', message: 'the lamp of attic is broken', details: { since: 'yesterday' } });
  });

  it('and is meant for one that is not there is HOST_UNKNOWN', async () => {
    await using house = await House.of('igor');
    await expect(house.dim('attic.hall')).rejects.toMatchObject({
      code: 'HOST_UNKNOWN', message: 'no lamps of the host attic is on the bus; see that its house runs and reaches this one, and that the name is right',
    });
  });

  it('and is not answered by another in time says so, and that it may have run', async () => {
    await using house = await House.of('igor', 'attic');
    await expect(house.dim('attic.stuck')).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('the action may have run') as string });
  });
});
