// The wire rules with raw frames against our broker, and our worker and client against a raw one, over every
// transport. Another transport is one more line here.
import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import { memoryTransport, zmtpTransport } from '../src/index.ts';
import { capacity } from './conformance/capacity.ts';
import { dispatch } from './conformance/dispatch.ts';
import { epochs } from './conformance/epochs.ts';
import { management } from './conformance/management.ts';
import { ourClient } from './conformance/our-client.ts';
import { ourWorker } from './conformance/our-worker.ts';
import { refusals } from './conformance/refusals.ts';
import { requestFrames } from './conformance/request-frames.ts';
import { workerLife } from './conformance/worker-life.ts';
import { workerRegistration } from './conformance/worker-registration.ts';
import { wireOf, type Wire } from './conformance/wire.ts';
import { zeromqWire } from './conformance/zeromq-wire.ts';

const wires: readonly Wire[] = [
  wireOf('memory', memoryTransport(), 'memory:*', () => Promise.resolve(`memory:${randomUUID()}`)),
  zeromqWire,
  wireOf('zmtp', zmtpTransport, 'tcp://127.0.0.1:*', () => zeromqWire.absentEndpoint()),
  { ...zeromqWire, name: 'zmtp with peers on libzmq', transport: zmtpTransport },
];

for (const wire of wires) {
  describe(`over ${wire.name}`, () => {
    requestFrames(wire);
    dispatch(wire);
    refusals(wire);
    workerLife(wire);
    management(wire);
    capacity(wire);
    epochs(wire);
    ourWorker(wire);
    ourClient(wire);
  });
}

// These wait for seconds, so they wait together.
describe('registration', { concurrent: true }, () => {
  for (const wire of wires) describe(`over ${wire.name}`, () => workerRegistration(wire));
});
