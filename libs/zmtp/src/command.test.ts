import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCommand, pingCommand, pongCommand, readCommand, readyCommand } from './command.ts';

const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

describe('commands', () => {
  it('READY has the type of the socket and an empty routing id', () => {
    const golden = `05${ascii('READY')}0b${ascii('Socket-Type')}00000006${ascii('ROUTER')}08${ascii('Identity')}00000000`;
    expect(readyCommand('ROUTER').toString('hex')).toBe(golden);
    expect(readCommand(Buffer.from(golden, 'hex'))).toEqual({
      name: 'READY', metadata: new Map([['socket-type', Buffer.from('ROUTER')], ['identity', Buffer.alloc(0)]]),
    });
  });

  it('PING has a time-to-live in tenths of a second, and PONG its context', () => {
    expect(pingCommand(5000).toString('hex')).toBe(`04${ascii('PING')}0032`);
    expect(readCommand(Buffer.from(`04${ascii('PING')}0032abcd`, 'hex'))).toEqual({ name: 'PING', ttlMs: 5000, context: Buffer.from('abcd', 'hex') });
    expect(pongCommand(Buffer.from('abcd', 'hex')).toString('hex')).toBe(`04${ascii('PONG')}abcd`);
  });

  it('ERROR has a reason', () => {
    expect(errorCommand('no').toString('hex')).toBe(`05${ascii('ERROR')}02${ascii('no')}`);
    expect(readCommand(errorCommand('no'))).toEqual({ name: 'ERROR', reason: 'no' });
    expect(readCommand(errorCommand('x'.repeat(300)))).toEqual({ name: 'ERROR', reason: 'x'.repeat(255) });
  });

  it.each([
    ['nothing', ''],
    ['a name that is cut off', '05524541'],
    ['an ERROR whose reason is cut off', `05${ascii('ERROR')}05${ascii('no')}`],
    ['a PING without its time-to-live', `04${ascii('PING')}00`],
    ['a PING whose context is above 16 bytes', `04${ascii('PING')}0000${'00'.repeat(17)}`],
    ['a READY whose property has no name', `05${ascii('READY')}0000000000`],
    ['a READY whose value is cut off', `05${ascii('READY')}01${ascii('x')}00000002aa`],
    ['a READY whose value is said to have 4 GiB', `05${ascii('READY')}01${ascii('x')}ffffffffaa`],
  ])('%s is malformed', (_what, hex) => {
    expect(readCommand(Buffer.from(hex, 'hex'))).toEqual({ name: 'MALFORMED' });
  });

  it('READY has 256 properties at the most', () => {
    const readyOf = (count: number): Buffer => Buffer.from(`05${ascii('READY')}${Array.from({ length: count }, (_, i) => `02${(0x1000 + i).toString(16)}00000000`).join('')}`, 'hex');
    expect(readCommand(readyOf(256))).toMatchObject({ name: 'READY' });
    expect(readCommand(readyOf(257))).toEqual({ name: 'MALFORMED' });
  });

  it('one that is not known is no fault', () => {
    expect(readCommand(Buffer.from(`09${ascii('SUBSCRIBE')}`, 'hex'))).toEqual({ name: 'OTHER' });
  });

  it('any bytes are read as something', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(['READY', 'ERROR', 'PING', 'PONG', 'OTHER', 'MALFORMED']).toContain(readCommand(Buffer.from(bytes)).name);
    }));
  });
});
