import { describe, expect, it } from 'vitest';
import type { BrokerStatus } from './broker-state.ts';
import { BrokerDriver } from '../../test/broker-driver.ts';

/** Asks the management interface, as an asynchronous client does. */
function ask(bus: BrokerDriver, name: string, ...body: string[]): string {
  const { address, service, body: answer } = bus.peer('asker').send('id', '', 'MDPC01', name, ...body).takeOne('reply');
  expect({ address, service, frames: answer.length }).toEqual({ address: ['id'], service: name, frames: 1 });
  return answer[0] ?? '';
}

/** Two workers for `echo`, one for `admin`; one that left, and one service that is only asked for. */
function house(): BrokerDriver {
  const bus = new BrokerDriver();
  bus.worker('w1', 'echo');
  bus.worker('w2', 'echo');
  bus.worker('w3', 'admin');
  bus.worker('w4', 'gone', 2);
  bus.peer('c').ask('gone').ask('nobody');
  bus.peer('w4').goodbye();
  return bus;
}

describe('R12: the management interface', () => {
  it.each([['echo', '200'], ['admin', '200'], ['nobody', '404'], ['gone', '404'], ['', '404'], ['unheard', '404']])('R12: mmi.service for %j answers %s', (name, code) => {
    expect(ask(house(), 'mmi.service', name)).toBe(code);
  });

  it('R12: mmi.service without a name answers 404', () => {
    expect(ask(house(), 'mmi.service')).toBe('404');
  });

  it('R12: mmi.services answers the sorted distinct names of what has workers, whatever its body', () => {
    for (const body of [[], [''], ['x']]) expect(ask(house(), 'mmi.services', ...body)).toBe('admin, echo');
    expect(ask(new BrokerDriver(), 'mmi.services')).toBe('');
  });

  it.each([['echo', '2'], ['admin', '1'], ['gone', '0'], ['nobody', '0'], ['', '0']])('R12: mmi.workers for %j answers %s', (name, count) => {
    expect(ask(house(), 'mmi.workers', name)).toBe(count);
  });

  it('R12: mmi.majordomus answers a JSON status', () => {
    const status = JSON.parse(ask(house(), 'mmi.majordomus')) as BrokerStatus;
    expect(status).toMatchObject({
      protocol: 'MDP/0.1', uptimeMs: 0, workers: 3, open: 2,
      services: [{ name: 'admin', workers: 1, waiting: 0, served: 0 }, { name: 'echo', workers: 2 }, { name: 'nobody', workers: 0, waiting: 1 }],
      dropped: { malformed: 0 }, refused: { OVERLOADED: 0 },
    });
  });

  it.each(['mmi.', 'mmi.nothing', 'mmi.Service', 'mmi.service.x'])('R12: %s answers 501', (name) => {
    expect(ask(house(), name, 'echo')).toBe('501');
    expect(ask(house(), name)).toBe('501');
  });

  it('R12: a timeout frame is not the question', () => {
    expect(ask(house(), 'mmi.service', '5.0', 'echo')).toBe('200');
    expect(ask(house(), 'mmi.services', 'None')).toBe('admin, echo');
  });

  it('R12: answers also when the client’s share is full, and does not count in it', () => {
    const bus = new BrokerDriver({ maxOpenPerClient: 1 });
    bus.peer('asker').ask('nobody');
    expect(ask(bus, 'mmi.services')).toBe('');
    expect(bus.status()).toMatchObject({ open: 1, refused: { OVERLOADED: 0 } });
  });

  it('R12: an over-long name is refused like any other, and not sent back in full', () => {
    const bus = new BrokerDriver();
    const answer = bus.peer('c').send('', 'MDPC01', `mmi.${'x'.repeat(100_000)}`, 'echo').takeOne('error');
    expect(answer.code).toBe('BAD_REQUEST');
    expect(answer.service.length).toBeLessThanOrEqual(255);
  });

  it('R16: a worker that said goodbye is not counted', () => {
    const bus = house();
    bus.peer('w1').goodbye();
    expect(ask(bus, 'mmi.workers', 'echo')).toBe('1');
    bus.peer('w2').goodbye();
    expect(ask(bus, 'mmi.service', 'echo')).toBe('404');
    expect(ask(bus, 'mmi.services')).toBe('admin');
  });
});
