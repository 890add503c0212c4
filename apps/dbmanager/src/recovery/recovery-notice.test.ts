import { expect, it } from 'vitest';
import { recoveryNotice } from './recovery-notice.ts';

it('counts one as one', () => {
  const all = { isWhole: true, lost: [], fromHistory: [], fromBackup: [] };
  const filled = [{ ...all, table: 'config', read: 2 }, { ...all, table: 'plugin_schema', read: 1 }];
  expect(recoveryNotice({ path: '/db', damage: 'malformed', place: '/db.damaged', backup: undefined, filled })).toContain('recovered: 2 values, 1 schema of a plugin; ');
});
