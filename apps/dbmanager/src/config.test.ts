import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { readSettings } from './config.ts';

describe('the settings of dbmanager', () => {
  it('come from flags, then variables, then defaults', () => {
    const settings = readSettings(['--home', '/nowhere/house', '--host=igor'], { DOMUS_HOST: 'other', DOMUS_BROKER: 'tcp://127.0.0.1:1234' });
    expect(settings).toMatchObject({ home: '/nowhere/house', host: 'igor', broker: 'tcp://127.0.0.1:1234', logLevel: 'info' });
  });

  it('say how much of the history is kept: a year, and 1000 changes of each plugin', () => {
    using folder = temporaryFolder();
    expect(readSettings(['--home', folder.path], {})).toMatchObject({ historyDays: 365, historyChanges: 1000 });
    writeFileSync(join(folder.path, 'majordomus.toml'), '[dbmanager]\nhistory-days = 30\nhistory-changes = 50\n');
    expect(readSettings(['--home', folder.path], {})).toMatchObject({ historyDays: 30, historyChanges: 50 });
    expect(readSettings(['--home', folder.path], { DOMUS_HISTORY_DAYS: '7' })).toMatchObject({ historyDays: 7 });
    for (const wrong of ['0', '-1', '1.5', 'all']) {
      expect(() => readSettings(['--home', folder.path, `--history-changes=${wrong}`], {})).toThrow(`--history-changes: "${wrong}" must be a whole number from 1 to 1000000`);
    }
  });

  it('that it does not have are refused', () => {
    expect(() => readSettings(['--bind', 'tcp://127.0.0.1:1'], {})).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }));
  });
});
