// How the house's storage is: what a person must be told of it until they have seen it, and copies of the database.
import { z } from 'zod';
import { contract } from './contract.ts';
import { storageErrors } from './dbmanager.ts';

const noticeId = z.number().int().min(1).describe('the number of the notice');

export const noticeList = contract({
  service: 'dbmanager',
  action: 'notice.list',
  summary: 'What a person has to be told of the house, such as a database that was damaged, until it is acknowledged.',
  idempotent: true,
  input: z.object({}),
  output: z.object({
    notices: z
      .array(z.object({ id: noticeId, atMs: z.number().int().describe('since when, in milliseconds since 1970'), text: z.string().describe('what happened, and what to do') }))
      .describe('the oldest first'),
  }),
  errors: storageErrors,
});

export const noticeAcknowledge = contract({
  service: 'dbmanager',
  action: 'notice.acknowledge',
  summary: 'Somebody has seen a notice: it is not told any more.',
  idempotent: true,
  input: z.object({ id: noticeId }),
  output: z.object({ id: noticeId }),
  errors: { NOTICE_NOT_FOUND: 'There is no notice of this number; it may be acknowledged already.', ...storageErrors },
});

export const backupMake = contract({
  service: 'dbmanager',
  action: 'backup.make',
  summary: 'Makes a consistent copy of the database in `<home>/backups` while the house goes on. Who asked for it takes it away; what is left is removed within a day.',
  input: z.object({}),
  output: z.object({
    file: z.string().describe('the copy, a database that was read whole and found in order'),
    bytes: z.number().int().describe('its size'),
  }),
  errors: { BACKUP_RUNNING: 'Another copy is being made; ask again when it is done.', ...storageErrors },
});
