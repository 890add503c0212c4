// house: `domus up` itself on the bus, as `<host>.house`. It supervises the core parts of its host.
import { z } from 'zod';
import { contract } from './contract.ts';
import { logReply, logRequest } from './manager.ts';
import { processStatus } from './process-status.ts';

export const partStatus = processStatus.extend({ name: z.string() });
export type PartStatus = z.infer<typeof partStatus>;

export const partList = contract({
  service: 'house',
  action: 'part.list',
  summary: 'The core parts of a host and how they are.',
  idempotent: true,
  input: z.object({}),
  output: z.object({ host: z.string(), home: z.string(), version: z.string(), parts: z.array(partStatus) }),
});

export const partLog = contract({
  service: 'house',
  action: 'part.log',
  summary: 'The last lines of a part’s log; `after` reads on from an earlier reply.',
  idempotent: true,
  input: logRequest.extend({ part: z.string() }),
  output: logReply.extend({ part: z.string() }),
  errors: { PART_NOT_FOUND: 'This host has no such part.' },
});
