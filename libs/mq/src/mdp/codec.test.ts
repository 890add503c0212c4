import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, framesToBroker, readAsMessage } from '../wire.ts';
import { parseClientRequest as readClientRequest, parseWorkerMessage as readWorkerMessage, replyBody, replyToken, supersededMessageBytes } from './broker-codec.ts';
import * as codec from './codec.ts';
import { cancelRequest, disconnect, heartbeat, idOfReply, idOfRequest, isReply, plainRequest, replyBodyAt, workerReplyHead, timedRequest, workerReady } from './codec.ts';
import type { Frame, Frames, ToBroker } from './frames.ts';

/** What the broker reads from a client, as frames. */
function parseClientRequest(frames: Frames): { address: Frames; service: Frame; timeoutMs: number | undefined; body: Frames } | undefined {
  let parsed: ReturnType<typeof parseClientRequest>;
  readAsMessage(frames, (message) => {
    const request = readClientRequest(message);
    if (request === undefined) return;
    const { addressFrames, serviceAt, timeoutMs, bodyAt } = request;
    parsed = { address: message.frames().slice(0, addressFrames), service: message.frame(serviceAt), timeoutMs, body: message.frames(bodyAt) };
  });
  return parsed;
}

/** What the broker reads from a worker, as frames. */
function parseWorkerMessage(frames: Frames): { kind: string; token?: Frame; body?: Frames; capacity?: number | undefined } | undefined {
  let parsed: ReturnType<typeof parseWorkerMessage>;
  readAsMessage(frames, (message) => {
    const read = readWorkerMessage(message);
    parsed = read?.kind === 'reply' ? { kind: 'reply', token: message.frame(replyToken), body: message.frames(replyBody) } : read;
  });
  return parsed;
}

/** What a worker reads from the broker, as frames. */
function parseBrokerMessage(frames: Frames): { kind: string; envelope?: Frames; body?: Frames } | undefined {
  let parsed: ReturnType<typeof parseBrokerMessage>;
  readAsMessage(frames, (message) => {
    const read = codec.parseBrokerMessage(message);
    if (read === undefined || !('bodyAt' in read)) {
      parsed = read;
      return;
    }
    const { kind, bodyAt } = read;
    parsed = { kind, envelope: message.frames(3).slice(0, bodyAt - 4), ...(kind === 'request' && { body: message.frames(bodyAt) }) };
  });
  return parsed;
}

/** What a client reads from the broker, as frames. */
function parseClientReply(frames: Frames): { address: Frames; service: Frame; body: Frames } | undefined {
  let parsed: ReturnType<typeof parseClientReply>;
  readAsMessage(frames, (message) => {
    const bodyAt = replyBodyAt(message);
    if (bodyAt >= 0) parsed = { address: message.frames().slice(0, bodyAt - 3), service: message.frame(bodyAt - 1), body: message.frames(bodyAt) };
  });
  return parsed;
}

/** What a worker answers to a request under this envelope. */
function workerReply(envelope: Frames, body: Frames): ToBroker {
  let reply: ToBroker | undefined;
  readAsMessage([Buffer.alloc(0), text('MDPW01'), Buffer.from([2]), ...envelope, Buffer.alloc(0), text('do')], (message) => {
    reply = codec.workerReply(workerReplyHead(message, 4 + envelope.length), body);
  });
  return reply ?? expect.unreachable();
}

/** Frames as docs/protocol.md writes them: hex, `""` for an empty one. */
function hex(line: string): Frames {
  return line.split('|').map((frame) => frame.trim()).map((frame) => (frame === '""' ? Buffer.alloc(0) : Buffer.from(frame, 'hex')));
}

const text = (value: string): Buffer => Buffer.from(value);

describe('the exchange of Domogik’s own library, byte for byte', () => {
  const request = hex('"" | 4d4450433031 | 746573745f726570 | 352e30 | 666f6f2e746869732e646f | 7b22615f6b6579223a2022765c7530306539227d');
  const ready = hex('"" | 4d4450573031 | 01 | 746573745f726570');
  const handedOver = hex('"" | 4d4450573031 | 02 | 006b8b4568 | "" | 666f6f2e746869732e646f | 7b7d');
  const reply = hex('"" | 4d4450573031 | 03 | 006b8b4568 | "" | 666f6f2e746869732e726573756c74 | 7b7d');
  const answer = hex('"" | 4d4450433031 | 746573745f726570 | 666f6f2e746869732e726573756c74 | 7b7d');

  it('is read by the broker', () => {
    expect(parseClientRequest(request)).toEqual({
      address: [], service: text('test_rep'), timeoutMs: 5000, body: [text('foo.this.do'), text('{"a_key": "v\\u00e9"}')],
    });
    expect(parseWorkerMessage(ready)).toEqual({ kind: 'ready', service: text('test_rep'), capacity: undefined });
    expect(parseWorkerMessage(reply)).toEqual({
      kind: 'reply', token: Buffer.from('006b8b4568', 'hex'), body: [text('foo.this.result'), text('{}')],
    });
  });

  it('is read by the worker and by the client', () => {
    expect(parseBrokerMessage(handedOver)).toEqual({
      kind: 'request', envelope: [Buffer.from('006b8b4568', 'hex')], body: [text('foo.this.do'), text('{}')],
    });
    expect(parseClientReply(answer)).toEqual({ address: [], service: text('test_rep'), body: [text('foo.this.result'), text('{}')] });
  });

  it('is what our worker would have sent', () => {
    expect(framesToBroker(workerReady(text('test_rep'), undefined))).toEqual(ready);
    expect(framesToBroker(workerReply([Buffer.from('006b8b4568', 'hex')], [text('foo.this.result'), text('{}')]))).toEqual(reply);
  });
});

describe('what we write', () => {
  it('C1: a request in the plain dialect has exactly the frames of RFC 7', () => {
    expect(framesToBroker(plainRequest(text('echo'), [text('do'), text('{}')]))).toEqual(hex('"" | 4d4450433031 | 6563686f | 646f | 7b7d'));
  });

  it('C1: a request in the timed dialect has a correlation id and decimal seconds', () => {
    expect(framesToBroker(timedRequest(1, text('echo'), 9750, [text('do'), text('{}')])))
      .toEqual(hex('00000001 | "" | 4d4450433031 | 6563686f | 392e373530 | 646f | 7b7d'));
  });

  it('C1: … each its own, whatever was written before', () => {
    const [lamp, bell] = [text('lamp'), text('bell')];
    const written = [timedRequest(1, lamp, 1000, [text('do')]), timedRequest(2, lamp, 1000, [text('do')]), timedRequest(0xfffffffe, bell, 1000, [text('do')]), timedRequest(3, bell, 2000, [text('do')]), cancelRequest(4)];
    expect(written.map(framesToBroker)).toEqual([
      hex('00000001 | "" | 4d4450433031 | 6c616d70 | 312e303030 | 646f'),
      hex('00000002 | "" | 4d4450433031 | 6c616d70 | 312e303030 | 646f'),
      hex('fffffffe | "" | 4d4450433031 | 62656c6c | 312e303030 | 646f'),
      hex('00000003 | "" | 4d4450433031 | 62656c6c | 322e303030 | 646f'),
      hex('00000004 | "" | 4d4450433031 | 6d6d692e63616e63656c'),
    ]);
    expect(written.map(idOfRequest)).toEqual([1, 2, 0xfffffffe, 3, 4]);
    expect(idOfRequest({ head: Buffer.from([1, 0]), body: [] })).toBe(-1);
  });

  it('W5: a reply is told from the other things that a worker says', () => {
    expect([workerReply([text('t')], [text('do')]), workerReply([text('t')], []), heartbeat, disconnect, workerReady(text('echo'), 1)].map(isReply)).toEqual([true, true, false, false, false]);
  });

  it('W3: a reply may have no body', () => {
    expect(framesToBroker(workerReply([text('t')], []))).toEqual(hex('"" | 4d4450573031 | 03 | 74 | ""'));
  });

  it('R14: READY may carry the capacity in decimal', () => {
    expect(framesToBroker(workerReady(text('echo'), 256))).toEqual(hex('"" | 4d4450573031 | 01 | 6563686f | 323536'));
  });

  it('HEARTBEAT and DISCONNECT have three frames', () => {
    expect(framesToBroker(heartbeat)).toEqual(hex('"" | 4d4450573031 | 04'));
    expect(framesToBroker(disconnect)).toEqual(hex('"" | 4d4450573031 | 05'));
  });

  it.each([0, -5, 0.4, 1, 1e9, 1e13, 1e21, 1e300, Infinity])('R2: any timeout (%d ms) is written as a frame that a broker takes for one', (timeoutMs) => {
    const parsed = parseClientRequest(framesToBroker(timedRequest(1, text('echo'), timeoutMs, [text('do'), text('{}')])));
    expect(parsed?.body).toEqual([text('do'), text('{}')]);
    expect(parsed?.timeoutMs).toBeCloseTo(Math.min(Math.max(0, timeoutMs), 9_999_999_999_000), 0);
  });
});

describe('R1: the client’s own address frames', () => {
  const rest = [Buffer.alloc(0), text('MDPC01'), text('echo'), text('do'), text('{}')];

  it.each([0, 1, 8])('may be %d', (count) => {
    const address = Array.from({ length: count }, (_, i) => Buffer.from([i]));
    expect(parseClientRequest([...address, ...rest])).toMatchObject({ address, service: text('echo') });
    expect(parseClientReply([...address, ...rest])).toMatchObject({ address, service: text('echo') });
  });

  it('are not a message when there are nine, or more than 1 KiB together', () => {
    const nine = Array.from({ length: 9 }, () => text('a'));
    expect(parseClientRequest([...nine, ...rest])).toBeUndefined();
    expect(parseClientRequest([Buffer.alloc(1024, 'a'), ...rest])).toMatchObject({ service: text('echo') });
    expect(parseClientRequest([Buffer.alloc(512, 'a'), Buffer.alloc(513, 'a'), ...rest])).toBeUndefined();
  });

  it('may look like the header of a worker', () => {
    expect(parseClientRequest([text('x'), text('MDPW01'), ...rest])).toMatchObject({ address: [text('x'), text('MDPW01')] });
  });
});

describe('R2: the timeout frame', () => {
  const parse = (service: string, ...frames: string[]): { timeoutMs: number | undefined; body: string[] } | undefined => {
    const parsed = parseClientRequest([Buffer.alloc(0), text('MDPC01'), text(service), ...frames.map(text)]);
    return parsed && { timeoutMs: parsed.timeoutMs, body: parsed.body.map(String) };
  };

  it.each([['5.0', 5000], ['10', 10_000], ['0', 0], ['0.5', 500], ['1234567890.5000000000', 1_234_567_890_500]])('%s is a number of seconds', (frame, timeoutMs) => {
    expect(parse('echo', frame, 'do', '{}')).toEqual({ timeoutMs, body: ['do', '{}'] });
  });

  it('None means the default', () => {
    expect(parse('echo', 'None', 'do', '{}')).toEqual({ timeoutMs: undefined, body: ['do', '{}'] });
  });

  it.each(['', '-1', '+1', '1.', '.5', '1e3', '1,5', ' 1', '1 ', 'none', 'NaN', 'Infinity', '12345678901', '1.12345678901', '1.5\n', '٣'])('%j is no timeout but body', (frame) => {
    expect(parse('echo', frame, 'do', '{}')).toEqual({ timeoutMs: undefined, body: [frame, 'do', '{}'] });
  });

  it('is dropped only before two frames or more', () => {
    expect(parse('echo', '5', '{}')).toEqual({ timeoutMs: undefined, body: ['5', '{}'] });
    expect(parse('echo', '5')).toEqual({ timeoutMs: undefined, body: ['5'] });
    expect(parse('echo', '5', '6', '7')).toEqual({ timeoutMs: 5000, body: ['6', '7'] });
    expect(parse('echo', '5', '6', '7', '8')).toEqual({ timeoutMs: 5000, body: ['6', '7', '8'] });
  });

  it('is dropped for mmi.* before one frame or none', () => {
    expect(parse('mmi.service', '5.0', 'echo')).toEqual({ timeoutMs: 5000, body: ['echo'] });
    expect(parse('mmi.services', 'None')).toEqual({ timeoutMs: undefined, body: [] });
    expect(parse('mmi.service', 'echo')).toEqual({ timeoutMs: undefined, body: ['echo'] });
    expect(parse('mmi.service', '5', 'a', 'b')).toEqual({ timeoutMs: undefined, body: ['5', 'a', 'b'] });
  });
});

describe('R14: the capacity of READY', () => {
  const capacity = (frame: string | undefined): number | undefined => {
    const message = parseWorkerMessage([Buffer.alloc(0), text('MDPW01'), Buffer.from([1]), text('echo'), ...(frame === undefined ? [] : [text(frame)])]);
    return message?.kind === 'ready' ? message.capacity : Number.NaN;
  };

  it('is a decimal number', () => {
    expect(capacity('256')).toBe(256);
    expect(capacity('1')).toBe(1);
  });

  it('is absent for a plain worker', () => {
    expect(capacity(undefined)).toBeUndefined();
  });

  it.each(['', '0', '-3', '1.5', 'many', '1e3', '0x10', ' 4'])('is 1 when it is invalid: %j', (frame) => {
    expect(capacity(frame)).toBe(1);
  });

  it('may be larger than any limit', () => {
    expect(capacity('9999999999')).toBeGreaterThan(1024);
    expect(capacity('99999999999999999999')).toBeGreaterThan(1024);
  });
});

describe('R15: the epoch of READY', () => {
  const ready = (...more: string[]): unknown => parseWorkerMessage([Buffer.alloc(0), text('MDPW01'), Buffer.from([1]), text('echo'), ...more.map(text)]);

  it.each([['1795351147194', 1_795_351_147_194], ['0', 0], ['9007199254740991', Number.MAX_SAFE_INTEGER]])('is a decimal number after the capacity: %s', (frame, epoch) => {
    expect(ready('16', frame)).toMatchObject({ capacity: 16, epoch });
  });

  it.each(['', '-1', '+1', '1.5', '1e3', '0x10', ' 4', '4\n', 'new', '9007199254740992', '00000000000000001', '٣'])('is none when it is invalid: %j', (frame) => {
    expect(ready('16', frame)).toMatchObject({ capacity: 16, epoch: undefined });
  });

  it('is written as it is read, and with an empty capacity by a plain worker', () => {
    for (const capacity of [undefined, 1, 256]) {
      for (const epoch of [undefined, 0, 1_795_351_147_194]) {
        expect(parseWorkerMessage(framesToBroker(workerReady(text('echo'), capacity, epoch)))).toEqual({ kind: 'ready', service: text('echo'), capacity, epoch });
      }
    }
    expect(framesToBroker(workerReady(text('echo'), undefined, 5)).slice(4).map(String)).toEqual(['', '5']);
    expect(ready('')).toMatchObject({ capacity: 1, epoch: undefined });
  });
});

describe('what a worker reads', () => {
  it('W5: an envelope of many frames, up to the empty one', () => {
    expect(parseBrokerMessage(hex('"" | 4d4450573031 | 02 | 01 | 02 | 03 | "" | "" | 646f'))).toEqual({
      kind: 'request', envelope: [Buffer.from([1]), Buffer.from([2]), Buffer.from([3])], body: [Buffer.alloc(0), text('do')],
    });
  });

  it('W1: DISCONNECT also without the empty frame, as Domogik’s broker sends it', () => {
    expect(parseBrokerMessage(hex('4d4450573031 | 05'))).toEqual({ kind: 'disconnect' });
    expect(parseBrokerMessage(hex('"" | 4d4450573031 | 05'))).toEqual({ kind: 'disconnect' });
    expect(parseBrokerMessage(hex('"" | 4d4450573031 | 05 | 6d61696e74656e616e6365'))).toEqual({ kind: 'disconnect' });
  });

  it('R15: DISCONNECT with `superseded`', () => {
    expect(parseBrokerMessage(hex('"" | 4d4450573031 | 05 | 73757065727365646564'))).toEqual({ kind: 'superseded' });
    expect(parseBrokerMessage(framesOf({ peer: '', head: supersededMessageBytes, body: undefined, sequence: 0 }))).toEqual({ kind: 'superseded' });
  });

  it('R17: CANCEL with its envelope', () => {
    expect(parseBrokerMessage(hex('"" | 4d4450573031 | 06 | 0102 | ""'))).toEqual({ kind: 'cancel', envelope: [Buffer.from([1, 2])] });
  });

  it.each([
    '""', '"" | 4d4450573031', '"" | 4d4450573031 | 02', '"" | 4d4450573031 | 02 | 01', '"" | 4d4450573031 | 02 | 01 | 646f', '"" | 4d4450573031 | 09',
    '"" | 4d4450573031 | 0404', '"" | 4d4450573032 | 04', '4d4450573031 | 04', '01 | 4d4450573031 | 04',
  ])('nothing else: %s', (line) => {
    expect(parseBrokerMessage(hex(line))).toBeUndefined();
  });
});

describe('what the broker reads from a worker', () => {
  it.each([
    ['no command', '"" | 4d4450573031', undefined],
    ['another version', '"" | 4d4450573032 | 04', undefined],
    ['a first frame that is not empty', '01 | 4d4450573031 | 04', undefined],
    ['an unknown command', '"" | 4d4450573031 | 2a', { kind: 'invalid' }],
    ['a command that is for workers only', '"" | 4d4450573031 | 02 | 01 | "" | 646f', { kind: 'invalid' }],
    ['a command of two bytes', '"" | 4d4450573031 | 0404', { kind: 'invalid' }],
    ['an empty command', '"" | 4d4450573031 | ""', { kind: 'invalid' }],
    ['READY without a service', '"" | 4d4450573031 | 01', { kind: 'invalid' }],
    ['REPLY without an envelope', '"" | 4d4450573031 | 03', { kind: 'invalid' }],
    ['REPLY without the empty frame', '"" | 4d4450573031 | 03 | 01 | 646f', { kind: 'invalid' }],
  ])('%s', (_what, line, expected) => {
    expect(parseWorkerMessage(hex(line))).toEqual(expected);
  });
});

// ── properties ────────────────────────────────────────────────────────────────────────────────────────────────────────

const anyFrame = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const filledFrame = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const address = fc.array(filledFrame, { maxLength: 8 });
const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const idFrame = (number: number): Frame => Buffer.from(number.toString(16).padStart(8, '0'), 'hex');
const service = filledFrame.filter((name) => !name.toString('latin1').startsWith('mmi.'));
/** A body as this house writes it: its first frame is no timeout. */
const body = fc.tuple(fc.constantFrom('do', 'config.get', 'é').map(text), anyFrame).map((frames) => [...frames]);
/** Frames that are nearly messages. */
const garbage = fc.array(
  fc.oneof(anyFrame, fc.constantFrom('', 'MDPC01', 'MDPW01', '\x01', '\x02', '\x03', '\x04', '\x05', '\x06', '5.0', 'None', 'mmi.service').map((part) => Buffer.from(part, 'latin1'))),
  { maxLength: 14 },
);

describe('whatever is written is read again', () => {
  it('requests of both dialects', () => {
    fc.assert(fc.property(id, service, fc.integer({ min: 0, max: 3_600_000 }), body, (number, to, timeoutMs, content) => {
      expect(parseClientRequest(framesToBroker(timedRequest(number, to, timeoutMs, content)))).toEqual({ address: [idFrame(number)], service: to, timeoutMs: expect.closeTo(timeoutMs, 3), body: content });
      expect(parseClientRequest(framesToBroker(plainRequest(to, content)))).toEqual({ address: [], service: to, timeoutMs: undefined, body: content });
    }));
  });

  it('C1: the id of a request, from its reply and from itself', () => {
    fc.assert(fc.property(id, address, service, body, (number, other, from, content) => {
      const request = timedRequest(number, from, 1000, content);
      expect(idOfRequest(request)).toBe(number);
      readAsMessage([idFrame(number), Buffer.alloc(0), text('MDPC01'), from, ...content], (message) => expect(idOfReply(message, replyBodyAt(message))).toBe(number));
      const expected = other.length === 1 && other[0]?.length === 4 ? other[0].readUInt32BE() : -1;
      readAsMessage([...other, Buffer.alloc(0), text('MDPC01'), from, ...content], (message) => expect(idOfReply(message, replyBodyAt(message))).toBe(expected));
    }));
  });

  it('R3: a body of any frames, byte for byte, in the timed dialect', () => {
    fc.assert(fc.property(service, fc.array(anyFrame, { minLength: 2 }), (to, content) => {
      expect(parseClientRequest(framesToBroker(timedRequest(1, to, 1000, content)))?.body).toEqual(content);
    }));
  });

  it('READY, and REPLY to a token of one frame', () => {
    fc.assert(fc.property(filledFrame, fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined }), fc.array(anyFrame), (frame, capacity, content) => {
      expect(parseWorkerMessage(framesToBroker(workerReady(frame, capacity)))).toEqual({ kind: 'ready', service: frame, capacity });
      expect(parseWorkerMessage(framesToBroker(workerReply([frame], content)))).toEqual({ kind: 'reply', token: frame, body: content });
    }));
  });
});

describe('whatever comes, parsing gives a well-formed message or none, and never throws', () => {
  it('at the broker, from clients', () => {
    fc.assert(fc.property(garbage, (frames) => {
      const parsed = parseClientRequest(frames);
      if (parsed === undefined) return;
      const timeoutFrames = frames.length - parsed.address.length - 3 - parsed.body.length;
      expect(timeoutFrames === 0 || timeoutFrames === 1).toBe(true);
      expect([...parsed.address, Buffer.alloc(0), text('MDPC01'), parsed.service]).toEqual(frames.slice(0, parsed.address.length + 3));
      expect(frames.slice(frames.length - parsed.body.length)).toEqual(parsed.body);
      expect(parsed.timeoutMs === undefined || (parsed.timeoutMs >= 0 && Number.isFinite(parsed.timeoutMs))).toBe(true);
    }), { numRuns: 2000 });
  });

  it('at the broker, from workers', () => {
    fc.assert(fc.property(garbage, (frames) => {
      const parsed = parseWorkerMessage(frames);
      if (parsed === undefined) return;
      expect(frames.slice(0, 2)).toEqual([Buffer.alloc(0), text('MDPW01')]);
      if (parsed.kind === 'ready') expect(parsed.capacity === undefined || parsed.capacity >= 1).toBe(true);
      if (parsed.kind === 'reply') expect(frames.slice(3)).toEqual([parsed.token, Buffer.alloc(0), ...parsed.body ?? []]);
    }), { numRuns: 2000 });
  });

  it('at workers and clients', () => {
    fc.assert(fc.property(garbage, (frames) => {
      const forWorker = parseBrokerMessage(frames);
      if (forWorker?.kind === 'request') expect(frames.slice(3)).toEqual([...forWorker.envelope ?? [], Buffer.alloc(0), ...forWorker.body ?? []]);
      if (forWorker?.kind === 'request' || forWorker?.kind === 'cancel') expect(forWorker.envelope?.length).toBeGreaterThan(0);
      const forClient = parseClientReply(frames);
      if (forClient !== undefined) expect([...forClient.address, Buffer.alloc(0), text('MDPC01'), forClient.service, ...forClient.body]).toEqual(frames);
    }), { numRuns: 2000 });
  });
});
