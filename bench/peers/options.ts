// The command line of the peers in Node: each is told what to do by flags.
import { parseArgs } from 'node:util';

const flags = {
  endpoint: { type: 'string', default: '' },
  way: { type: 'string', default: 'request' },
  workers: { type: 'string', default: '1' },
  capacity: { type: 'string', default: '1' },
  window: { type: 'string', default: '1' },
  'cold-requests': { type: 'string', default: '40000' },
  seconds: { type: 'string', default: '1' },
} as const;

const { values } = parseArgs({ options: flags });

/** A request whose data nobody checks, or a call of a contract. */
export type Way = 'request' | 'call';

export const options = {
  endpoint: values.endpoint,
  way: values.way as Way,
  workers: Number(values.workers),
  capacity: Number(values.capacity),
  window: Number(values.window),
  coldRequests: Number(values['cold-requests']),
  seconds: Number(values.seconds),
};

export const service = 'echo';
