// Outboxes before a stream that takes what it is given at once, as a kernel with room does, or holds it until it is let.
import { Writable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrames } from './frame.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';

const wide: OutboxLimits = { maxMessages: 1000, maxBytes: 1 << 24 };

class Kernel extends Writable {
  takes = true;
  /** What it was given, one entry for each call. */
  readonly calls: Buffer[][] = [];
  #taken = '';
  #held: (() => void) | undefined;

  /** What it has taken, as latin1 text, as the bytes were when it took them. */
  get taken(): string {
    return this.#taken;
  }

  /** Takes what it holds, and from now on everything. */
  release(): void {
    this.takes = true;
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#give([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#give(chunks.map(({ chunk }) => chunk), done);
  }

  #give(pieces: Buffer[], done: () => void): void {
    this.calls.push(pieces);
    const take = (): void => {
      this.#taken += Buffer.concat(pieces).toString('latin1');
      done();
    };
    if (this.takes) take();
    else this.#held = take;
  }
}

function open(limits = wide): { readonly kernel: Kernel; readonly outbox: Outbox } {
  const kernel = new Kernel();
  return { kernel, outbox: new Outbox(kernel, limits) };
}

/** The turn of the loop ends, and what callbacks do has been done. */
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(() => setImmediate(resolve)); });
const wire = (...frames: readonly (string | Buffer)[]): string => encodeFrames(frames.map((frame) => Buffer.from(frame))).toString('latin1');
const large = (fill: number): Buffer => Buffer.alloc(5000, fill);
const storeOf = (kernel: Kernel): ArrayBufferLike | undefined => kernel.calls.at(-1)?.[0]?.buffer;

describe('an outbox', () => {
  it('writes what one turn of the loop has brought at once, in its order: small, large, heads, pieces and commands', async () => {
    const { kernel, outbox } = open();
    outbox.write(Buffer.from('greeting'));
    expect(outbox.send([Buffer.from('a'), large(1), Buffer.from('b')])).toBe(true);
    expect(outbox.forward(Buffer.from('head'), [Buffer.from('small'), large(2), Buffer.from('end')])).toBe(true);
    expect(outbox.send([Buffer.from('last'), large(3)], encodeFrames([Buffer.from('first')], true))).toBe(true);
    expect(outbox.send([], encodeFrames([Buffer.from('alone')]))).toBe(true);
    expect(kernel.calls).toEqual([]);
    await turn();
    expect(kernel.calls).toHaveLength(1);
    expect(kernel.taken).toBe(`greeting${wire('a', large(1), 'b')}headsmall${large(2).toString('latin1')}end${wire('first', 'last', large(3))}${wire('alone')}`);
    expect(outbox.waitingBytes).toBe(0);
  });

  it('writes small messages as one buffer, and a large body from where it is', async () => {
    const { kernel, outbox } = open();
    const body = large(1);
    for (let i = 0; i < 100; i += 1) outbox.send([Buffer.from('a'), Buffer.from('b')]);
    await turn();
    expect(kernel.calls.map((pieces) => pieces.length)).toEqual([1]);
    outbox.send([body]);
    await turn();
    expect(kernel.calls[1]?.[1]).toBe(body);
  });

  it('writes all that it was given, in its order, whenever the kernel takes it', async () => {
    const size = fc.oneof(fc.nat(300), fc.integer({ min: 4090, max: 4100 }), fc.constant(20_000));
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('send' as const, 'forward' as const), sizes: fc.array(size, { minLength: 1, maxLength: 4 }) }),
      fc.record({ kind: fc.constantFrom('write' as const, 'turn' as const, 'hold' as const, 'release' as const), sizes: fc.constant([]) }),
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { kernel, outbox } = open();
      // It uses the same spare buffers between the writes of the other.
      const other = open();
      let expected = '';
      for (const [i, { kind, sizes }] of steps.entries()) {
        const bodies = sizes.map((bytes, n) => Buffer.alloc(bytes, 16 * i + n));
        if (kind === 'send') outbox.send(bodies);
        else if (kind === 'forward') outbox.forward(Buffer.from('head'), bodies);
        else if (kind === 'write') outbox.write(Buffer.from(`command ${i}`));
        else if (kind === 'hold') kernel.takes = false;
        else if (kind === 'release') kernel.release();
        else await turn();
        if (kind === 'send') expected += wire(...bodies);
        if (kind === 'forward') expected += `head${Buffer.concat(bodies).toString('latin1')}`;
        if (kind === 'write') expected += `command ${i}`;
        other.outbox.send([Buffer.alloc(3000, 0xff)]);
      }
      await turn();
      kernel.release();
      await turn();
      expect(kernel.taken === expected).toBe(true);
      expect(outbox.waitingBytes).toBe(0);
    }), { numRuns: 200 });
  });

  it('refuses a message when as many wait as may, of those that the kernel did not take too, and takes others when they are gone', async () => {
    const { kernel, outbox } = open({ maxMessages: 3, maxBytes: 1 << 20 });
    kernel.takes = false;
    expect(outbox.send([Buffer.from('1')])).toBe(true);
    await turn();
    expect([outbox.send([Buffer.from('2')]), outbox.forward(Buffer.from('3'), [])]).toEqual([true, true]);
    expect([outbox.send([Buffer.from('4')]), outbox.forward(Buffer.from('4'), [])]).toEqual([false, false]);
    // A command that it was made to say is left out.
    outbox.write(Buffer.from('PONG'));
    kernel.release();
    await turn();
    expect(kernel.taken).toBe(`${wire('1')}${wire('2')}3`);
    expect(outbox.send([Buffer.from('5')])).toBe(true);
  });

  it('refuses a message when as many bytes wait as may, of those that the kernel did not take too', async () => {
    const { kernel, outbox } = open({ maxMessages: 1000, maxBytes: 100 });
    kernel.takes = false;
    expect(outbox.send([Buffer.alloc(48)])).toBe(true);
    await turn();
    expect(outbox.waitingBytes).toBe(50);
    // The last may go beyond, so that any message can be sent that there is room for.
    expect([outbox.send([Buffer.alloc(47)]), outbox.send([Buffer.alloc(20)]), outbox.send([])]).toEqual([true, true, false]);
    expect(outbox.waitingBytes).toBe(121);
    kernel.release();
    await turn();
    expect(outbox.waitingBytes).toBe(0);
    expect(outbox.send([Buffer.from('x')])).toBe(true);
  });

  it('takes more than the limit in one turn, as long as the kernel takes it', () => {
    const { kernel, outbox } = open({ maxMessages: 2, maxBytes: 1 << 20 });
    for (let i = 0; i < 5; i += 1) expect(outbox.send([Buffer.from([i])])).toBe(true);
    expect(kernel.calls).toHaveLength(2);
  });

  it('calls back when the stream has been given everything, at once or when the kernel takes it', async () => {
    for (const takes of [true, false]) {
      const { kernel, outbox } = open();
      let drained = 0;
      kernel.takes = takes;
      outbox.send([Buffer.from('1')]);
      if (!takes) {
        await turn();
        outbox.send([Buffer.from('2')]);
      }
      outbox.drain(() => void (drained += 1));
      expect(drained).toBe(takes ? 1 : 0);
      kernel.release();
      await turn();
      expect([drained > 0, kernel.taken]).toEqual([true, takes ? wire('1') : wire('1') + wire('2')]);
    }
  });
});

describe('the buffers of a write', () => {
  it('are used again once the kernel has taken them, by whoever writes next', async () => {
    /** What one turn is written from: more than one buffer has room for. */
    const used = async (): Promise<ReadonlySet<unknown>> => {
      const { kernel, outbox } = open();
      for (let i = 0; i < 30; i += 1) outbox.send([Buffer.alloc(3000)]);
      await turn();
      return new Set(kernel.calls[0]?.map(({ buffer }) => buffer));
    };
    const first = await used();
    expect(first.size).toBeGreaterThan(1);
    const second = await used();
    expect([...second].filter((store) => first.has(store))).toHaveLength(first.size);
  });

  it('are left alone while the stream holds them', async () => {
    const [held, other] = [open(), open()];
    held.kernel.takes = false;
    // More than one buffer has room for.
    const bodies = Array.from({ length: 30 }, (_, i) => Buffer.alloc(3000, i));
    for (const body of bodies) held.outbox.send([body]);
    await turn();
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < 30; i += 1) other.outbox.send([Buffer.alloc(3000, 0xff)]);
      held.outbox.send([Buffer.from('later')]);
      await turn();
    }
    held.kernel.release();
    await turn();
    expect(held.kernel.taken === bodies.map((body) => wire(body)).join('') + wire('later').repeat(5)).toBe(true);
  });

  it('are kept for 64 connections at the most', async () => {
    const all = Array.from({ length: 100 }, () => open());
    const used = async (): Promise<Set<unknown>> => {
      for (const { outbox } of all) outbox.send([Buffer.from('x')]);
      await turn();
      return new Set(all.map(({ kernel }) => storeOf(kernel)));
    };
    const first = await used();
    const second = await used();
    expect([first.size, second.size, [...second].filter((store) => first.has(store)).length]).toEqual([100, 100, 64]);
  });
});
