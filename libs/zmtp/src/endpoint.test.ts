import { describe, expect, it } from 'vitest';
import { formatTcp, parseEndpoint, parseRemoteEndpoint } from './endpoint.ts';

describe('endpoint', () => {
  it.each([
    ['tcp://127.0.0.1:40410', { kind: 'tcp', host: '127.0.0.1', port: 40410 }],
    ['tcp://*:*', { kind: 'tcp', host: '*', port: 0 }],
    ['tcp://igor.local:0', { kind: 'tcp', host: 'igor.local', port: 0 }],
    ['tcp://[::1]:1', { kind: 'tcp', host: '::1', port: 1 }],
    ['ipc:///tmp/house', { kind: 'ipc', path: '/tmp/house' }],
    ['ipc://@house', { kind: 'ipc', path: '\0house' }],
  ])('reads %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each(['', 'igor', 'tcp://igor', 'tcp://igor:', 'tcp://:1', 'tcp://::1:1', 'tcp://igor:70000', 'tcp://igor:1/x', 'udp://igor:1', 'ipc://', `ipc:///${'x'.repeat(107)}`])('refuses %j', (text) => {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }) as Error);
  });

  it.each(['tcp://*:40410', 'tcp://127.0.0.1:*', 'tcp://127.0.0.1:0'])('refuses to connect to %s', (text) => {
    expect(() => parseRemoteEndpoint(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }) as Error);
  });

  it('writes an address of IPv6 in brackets', () => {
    expect(parseEndpoint(formatTcp('::1', 5))).toEqual({ kind: 'tcp', host: '::1', port: 5 });
  });
});
