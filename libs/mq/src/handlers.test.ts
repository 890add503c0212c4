import { ActionFailure, contract } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Handlers, type Handler } from './handlers.ts';
import { BusError } from './mdp/errors.ts';
import type { Frames } from './mdp/frames.ts';
import { decodeMessage, isBadMessage, type Message } from './message.ts';

const lampSet = contract({
  service: 'lamp',
  action: 'lamp.set',
  aliases: ['lamp.set.do'],
  reply: 'lamp.result',
  summary: 'Sets a lamp.',
  input: z.object({ room: z.string(), percent: z.number().int().max(100).default(100) }),
  output: z.object({ room: z.string() }),
  errors: { LAMP_BROKEN: 'The lamp is broken.' },
});

const oldNames = contract({
  service: 'lamp',
  action: 'lamp.get',
  summary: 'The state of a lamp.',
  accept: (data) => ({ room: (data['chambre'] as string).toLowerCase() }),
  input: z.object({ room: z.string() }),
  output: z.object({ room: z.string() }),
});

const lampTune = contract({
  service: 'lamp',
  action: 'lamp.tune',
  reply: 'lamp.result',
  summary: 'Sets any number of a lamp.',
  input: z.record(z.string(), z.number()),
  output: z.object({}),
});

class Lamp {
  readonly reports: unknown[] = [];
  readonly #handlers: Handlers;
  readonly #stop = new AbortController();

  constructor(handler: Handler<typeof lampSet> = ({ room }) => ({ room })) {
    this.#handlers = new Handlers().on(lampSet, handler).on(oldNames, ({ room }) => ({ room })).on(lampTune, () => ({}));
  }

  abort(): void {
    this.#stop.abort(new ActionFailure('STOPPING', 'the service is stopping'));
  }

  async answer(...body: (string | Buffer)[]): Promise<Message> {
    const reply = decodeMessage(await this.#handlers.answer(body.map((frame) => Buffer.from(frame)), this.#stop, (action, error) => this.reports.push([action, error])));
    return isBadMessage(reply) ? expect.unreachable() : reply;
  }
}

const hall = '{"room":"hall"}';

describe('W3: every request gets a reply', () => {
  it('W3: with the action of the contract and status true', async () => {
    expect(await new Lamp().answer('lamp.set', hall)).toEqual({ action: 'lamp.result', data: { status: true, reason: '', room: 'hall' } });
    expect(await new Lamp().answer('lamp.set.do', hall)).toMatchObject({ action: 'lamp.result', data: { status: true } });
  });

  it('W3: the handler gets the data as its contract makes it, with defaults', async () => {
    const seen: unknown[] = [];
    const lamp = new Lamp((data) => {
      seen.push(data);
      return data;
    });
    await lamp.answer('lamp.set', '{"room":"hall","unknown":1}');
    expect(seen).toEqual([{ room: 'hall', percent: 100 }]);
  });

  it.each([
    ['JSON that is broken', '{"room":'],
    ['JSON that is a list', '[]'],
    ['JSON that is null', 'null'],
    ['JSON that is a string', '"hall"'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('W3: %s is BAD_REQUEST, under the action that the caller expects', async (_what, data) => {
    const lamp = new Lamp(() => expect.unreachable());
    expect(await lamp.answer('lamp.set', data)).toMatchObject({ action: 'lamp.result', data: { status: false, code: 'BAD_REQUEST', reason: expect.stringMatching(/./) } });
  });

  it('W3: too many frames are BAD_REQUEST', async () => {
    expect(await new Lamp().answer('lamp.set', hall, 'more')).toMatchObject({ action: 'lamp.result', data: { code: 'BAD_REQUEST', reason: expect.stringContaining('3 frames') } });
  });

  it.each<[string, string[]]>([['no frame', []], ['an empty action', ['', '{}']]])('W3: a body with %s is BAD_REQUEST as mq.error', async (_what, body) => {
    expect(await new Lamp().answer(...body)).toMatchObject({ action: 'mq.error', data: { status: false, code: 'BAD_REQUEST' } });
  });

  it.each(['lamp.explode', 'toString', '__proto__'])('W3: the unknown action %s is answered with mq.error, which names those that are known', async (action) => {
    expect(await new Lamp().answer(action, hall)).toMatchObject({
      action: 'mq.error', data: { status: false, code: 'ACTION_UNKNOWN', reason: `there is no action ${action} here; there are lamp.set, lamp.get, lamp.tune` },
    });
  });

  it('W3: an unknown action wins over bad data', async () => {
    expect(await new Lamp().answer('lamp.explode', '{')).toMatchObject({ action: 'mq.error', data: { code: 'ACTION_UNKNOWN' } });
  });

  it('W3: data that does not fit is INVALID_DATA with a reason for each field', async () => {
    const { action, data } = await new Lamp(() => expect.unreachable()).answer('lamp.set', '{"percent":300}');
    expect(action).toBe('lamp.result');
    expect(data).toMatchObject({ status: false, code: 'INVALID_DATA', fields: { room: expect.stringMatching(/./), percent: expect.stringContaining('100') } });
    expect(data['reason']).toMatch(/room: .+; percent: .+/);
  });

  it('W3: … whatever the field is called', async () => {
    const { data } = await new Lamp().answer('lamp.tune', '{"constructor":"x"}');
    expect(data).toMatchObject({ code: 'INVALID_DATA', reason: expect.stringMatching(/^constructor: ./), fields: { constructor: expect.stringMatching(/./) } });
  });

  it('W3: absent data is an empty object', async () => {
    expect(await new Lamp().answer('lamp.set')).toMatchObject({ data: { code: 'INVALID_DATA', fields: { room: expect.any(String) } } });
    expect(await new Lamp().answer('lamp.set', '')).toMatchObject({ data: { code: 'INVALID_DATA' } });
  });

  it('W3: a refusal has the handler’s code, reason and details', async () => {
    const lamp = new Lamp(() => {
      throw new ActionFailure('LAMP_BROKEN', 'no light', { watts: 0 });
    });
    expect(await lamp.answer('lamp.set', hall)).toEqual({ action: 'lamp.result', data: { status: false, code: 'LAMP_BROKEN', reason: 'no light', watts: 0 } });
    expect(lamp.reports).toEqual([]);
  });

  it('W3: details cannot make a refusal look like a success', async () => {
    const lamp = new Lamp(() => {
      throw new ActionFailure('LAMP_BROKEN', 'no light', { status: true, code: 'OK', reason: '' });
    });
    expect(await lamp.answer('lamp.set', hall)).toMatchObject({ data: { status: false, code: 'LAMP_BROKEN', reason: 'no light' } });
  });

  it.each<[string, () => never]>([
    ['an error', () => { throw new TypeError('secret path /etc'); }],
    ['a text', () => { throw 'secret'; }],
    ['nothing', () => { throw undefined; }],
  ])('W3: an exception (%s) is INTERNAL, is reported, and tells the caller no details', async (_what, handler) => {
    const lamp = new Lamp(handler);
    const reply = await lamp.answer('lamp.set', hall);
    expect(reply).toMatchObject({ action: 'lamp.result', data: { status: false, code: 'INTERNAL' } });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(lamp.reports).toHaveLength(1);
  });

  it('W3: so is a promise that rejects', async () => {
    const lamp = new Lamp(() => Promise.reject(new RangeError('too far')));
    expect(await lamp.answer('lamp.set', hall)).toMatchObject({ data: { code: 'INTERNAL' } });
    expect(lamp.reports).toEqual([['lamp.set', new RangeError('too far')]]);
  });

  it('W3: and an older spelling that cannot be brought into shape', async () => {
    const lamp = new Lamp();
    expect(await lamp.answer('lamp.get', '{"chambre":"HALL"}')).toMatchObject({ data: { status: true, room: 'hall' } });
    expect(await lamp.answer('lamp.get', '{"chambre":7}')).toMatchObject({ action: 'lamp.result', data: { status: false, code: 'INTERNAL' } });
    expect(lamp.reports).toHaveLength(1);
  });

  it.each<[string, () => unknown]>([
    ['a result', () => ({ room: 1n })],
    ['a result that contains itself', () => { const loop: Record<string, unknown> = {}; loop['loop'] = loop; return loop; }],
    ['the details of a refusal', () => { throw new ActionFailure('LAMP_BROKEN', 'no light', { watts: 1n }); }],
  ])('W3: %s that is not JSON is INTERNAL, and is reported', async (_what, handler) => {
    const lamp = new Lamp(handler as Handler<typeof lampSet>);
    expect(await lamp.answer('lamp.set', hall)).toMatchObject({ action: 'lamp.result', data: { status: false, code: 'INTERNAL' } });
    expect(lamp.reports).toHaveLength(1);
  });

  it('W3: a service that it needs in turn and that does not answer is no fault of the handler', async () => {
    const lamp = new Lamp(() => {
      throw new BusError('DEADLINE_EXCEEDED', 'config.get was not answered', { service: 'dbmanager', action: 'config.get' });
    });
    expect(await lamp.answer('lamp.set', hall)).toMatchObject({ data: { status: false, code: 'UNAVAILABLE', reason: 'config.get was not answered' } });
    expect(lamp.reports).toEqual([]);
  });

  it('W2, W3: a handler that is aborted answers STOPPING, and that is not its fault', async () => {
    const begun = Promise.withResolvers<void>();
    const lamp = new Lamp(async (_data, { signal }) => {
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('interrupted'))));
      return { room: '' };
    });
    const answer = lamp.answer('lamp.set', hall);
    await begun.promise;
    lamp.abort();
    expect(await answer).toMatchObject({ action: 'lamp.result', data: { status: false, code: 'STOPPING' } });
    expect(lamp.reports).toEqual([]);
  });

  it('W2, W3: one that finishes all the same has its answer', async () => {
    const lamp = new Lamp(({ room }) => {
      lamp.abort();
      return { room };
    });
    expect(await lamp.answer('lamp.set', hall)).toMatchObject({ data: { status: true, room: 'hall' } });
  });

  it('W3: whatever the body is, the reply is one action and one object with status, and never an exception', async () => {
    const handlers = new Handlers().on(lampSet, ({ room }) => ({ room })).on(oldNames, ({ room }) => ({ room }));
    const frame = fc.oneof(
      fc.constantFrom('', 'lamp.set', 'lamp.get', hall, '{}', '[]', '{"room":{}}', '{"__proto__":1}').map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    );
    await fc.assert(fc.asyncProperty(fc.array(frame, { maxLength: 4 }), async (body: Frames) => {
      const reply = decodeMessage(await handlers.answer(body, new AbortController(), () => {}));
      expect(isBadMessage(reply)).toBe(false);
      const { status, code, reason } = (reply as Message).data;
      expect(['mq.error', 'lamp.result']).toContain(reply.action);
      expect(typeof status).toBe('boolean');
      if (status === false) expect([typeof code, reason === '' ? 'empty' : typeof reason]).toEqual(['string', 'string']);
    }));
  });
});

describe('handlers', () => {
  it('name their actions once, without aliases', () => {
    expect(new Handlers().on(lampSet, ({ room }) => ({ room })).actions).toEqual(['lamp.set']);
  });
});
