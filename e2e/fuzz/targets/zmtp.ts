// Bytes into the broker's port: connections that are wrong from the first byte, or from a later one on, that stop in the middle,
// say goodbye, or do not. Nobody else may notice.
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { piecesOf, stream, type Stream } from '../byte-streams.ts';
import type { FuzzHouse } from '../fuzz-house.ts';
import { Finding, target, type Subject } from '../target.ts';

/** Connections that are open at the same time. */
const atOnce = 50;
/** A broker that is asked to end a connection does so in this. */
const endLimitMs = 20_000;

export const zmtp = target<Stream>({
  name: 'zmtp',
  about: 'bytes into the port of the broker, ZMTP and not, each input a connection',
  batchSize: 500,
  testInputs: 4000,
  input: stream,
  show: ({ bytes, cuts, end }) => `${bytes.toString('hex').slice(0, 2000)}${bytes.length > 1000 ? `… (${bytes.length} bytes)` : ''}, cut at ${cuts.join(', ')}, then ${end}`,
  open: async (site) => new Zmtp(await site.house()),
});

class Zmtp implements Subject<Stream> {
  readonly #house: FuzzHouse;
  readonly #port: number;

  constructor(house: FuzzHouse) {
    this.#house = house;
    this.#port = Number(house.house.endpoint.split(':').at(-1));
  }

  async feed(inputs: readonly Stream[]): Promise<void> {
    for (let from = 0; from < inputs.length; from += atOnce) {
      const held: Socket[] = [];
      await Promise.all(inputs.slice(from, from + atOnce).map(async (input) => this.#connection(input, held)));
      for (const socket of held) socket.destroy();
    }
    await this.#house.judge();
  }

  memory(): ReturnType<FuzzHouse['memory']> {
    return this.#house.memory();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** Until it is closed by either side, or is held. */
  async #connection(input: Stream, held: Socket[]): Promise<void> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => { socket.once('close', () => resolve()); });
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (!isThere) throw new Finding('the broker takes no connection any more');
    socket.resume();
    for (const piece of piecesOf(input)) {
      socket.write(piece);
      await turn();
    }
    if (input.end === 'hold') {
      held.push(socket);
      return;
    }
    if (input.end === 'reset') socket.resetAndDestroy();
    else socket.end();
    const limit = setTimeout(() => socket.destroy(new Finding('late')), endLimitMs);
    await closed;
    clearTimeout(limit);
    if (socket.errored instanceof Finding) throw new Finding(`the broker did not close a connection that had said goodbye within ${endLimitMs} ms`);
  }
}
