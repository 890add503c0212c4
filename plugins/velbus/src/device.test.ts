import { describe, expect, it } from 'vitest';
import { deviceName, parseDevice } from './device.ts';

describe('the configured device', () => {
  it.each([
    ['tcp', '192.168.1.5:27015', { protocol: 'tcp', host: '192.168.1.5', port: 27_015 }, '192.168.1.5:27015'],
    ['tcp', 'velbus.local:6000', { protocol: 'tcp', host: 'velbus.local', port: 6000 }, 'velbus.local:6000'],
    ['tcp', 'tcp://127.0.0.1:27015', { protocol: 'tcp', host: '127.0.0.1', port: 27_015 }, '127.0.0.1:27015'],
    ['tcp', '[::1]:27015', { protocol: 'tcp', host: '::1', port: 27_015 }, '[::1]:27015'],
    ['serial', '/dev/ttyACM0', { protocol: 'serial', path: '/dev/ttyACM0' }, '/dev/ttyACM0'],
  ])('%s %s', (protocol, device, expected, name) => {
    const parsed = parseDevice(protocol, device);
    expect(parsed).toEqual(expected);
    expect('problem' in parsed ? '' : deviceName(parsed)).toBe(name);
  });

  it.each([
    ['tcp', '/dev/ttyACM0', /^device must be HOST:PORT for the protocol tcp, not "\/dev\/ttyACM0"; set it: domus config set velbus protocol serial$/],
    ['tcp', '192.168.1.5', /not "192\.168\.1\.5"; set it: domus config set velbus device 192\.168\.1\.5:27015$/],
    ['tcp', 'host:0', /must be HOST:PORT/],
    ['tcp', 'host:65536', /must be HOST:PORT/],
    ['tcp', '::1:27015', /must be HOST:PORT/],
    ['tcp', 'tls://gateway:27015', /velbus speaks no TLS/],
    ['serial', '192.168.1.5:27015', /^device must be the path of a serial device for the protocol serial, not "192\.168\.1\.5:27015"; set it: domus config set velbus protocol tcp$/],
    ['serial', 'ttyACM0', /set it: domus config set velbus device \/dev\/ttyACM0$/],
  ])('%s %s is refused with what to type', (protocol, device, problem) => {
    expect(parseDevice(protocol, device)).toEqual({ problem: expect.stringMatching(problem) });
  });
});
