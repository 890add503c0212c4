import { describe, expect, it } from 'vitest';
import { greeting, greetingBytes, readGreeting } from './greeting.ts';

/** RFC 37: signature, version 3.1, mechanism NULL in 20 bytes, no server, filler. */
const golden = `ff00000000000000007f0301${Buffer.from('NULL').toString('hex')}${'00'.repeat(16)}00${'00'.repeat(31)}`;

describe('greeting', () => {
  it('is the 64 bytes of RFC 37', () => {
    expect(greeting.toString('hex')).toBe(golden);
    expect(greeting).toHaveLength(greetingBytes);
  });

  it('is partial until its last byte', () => {
    for (let bytes = 0; bytes < greetingBytes; bytes += 1) expect(readGreeting(greeting.subarray(0, bytes))).toEqual({ kind: 'partial' });
    expect(readGreeting(greeting)).toEqual({ kind: 'complete', minor: 1 });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'NOT_ZMTP'],
    ['ZMTP 1.0, whose first frame is a routing id', Buffer.from([1, 0]), 'NOT_ZMTP'],
    ['a signature without its last byte', Buffer.from('ff0000000000000000aa', 'hex'), 'NOT_ZMTP'],
    ['ZMTP 2.0', Buffer.from('ff00000000000000017f01', 'hex'), 'NOT_ZMTP'],
  ])('is refused as soon as it is %s', (_what, bytes, why) => {
    expect(readGreeting(bytes)).toEqual({ kind: 'wrong', why });
  });

  it('is refused with another mechanism', () => {
    const curve = Buffer.from(greeting);
    curve.write('CURVE', 12, 'latin1');
    expect(readGreeting(curve)).toEqual({ kind: 'wrong', why: 'MECHANISM_UNKNOWN' });
  });
});
