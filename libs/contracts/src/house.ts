// house: `domus up` itself on the bus, as `<host>.house`. It supervises the core parts of its host.
import { z } from 'zod';
import { contract } from './contract.ts';
import { logReply, logRequest, processMemory, processStatus } from './process-status.ts';

export const partStatus = processStatus
  .extend(processMemory.shape)
  .extend({ name: z.string().describe('the part') })
  .meta({ id: 'PartStatus', description: 'A core part of the house as a process.' });
export type PartStatus = z.infer<typeof partStatus>;

export const partList = contract({
  service: 'house',
  action: 'part.list',
  summary: 'The core parts of a host and how they are.',
  idempotent: true,
  input: z.object({}),
  output: z.object({
    host: z.string().describe('the host'),
    home: z.string().describe('the folder in which the house keeps its files'),
    version: z.string().describe('the version of Majordomus'),
    join: z.string().optional().describe('where the broker of the house is that this host has joined; the primary host has none'),
    parts: z.array(partStatus).describe('its core parts'),
  }),
});

const part = z.string().describe('the name of the part; `house` for `domus up` itself');

export const partLog = contract({
  service: 'house',
  action: 'part.log',
  summary: 'The last lines of a part’s log; `after` reads on from an earlier reply.',
  idempotent: true,
  input: logRequest.extend({ part }),
  output: logReply.extend({ part }),
  errors: { PART_NOT_FOUND: 'This host has no such part.' },
});
