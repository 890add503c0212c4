import { describe, expect, it } from 'vitest';
import { readSettings } from './config.ts';

describe('the settings of dbmanager', () => {
  it('come from flags, then variables, then defaults', () => {
    const settings = readSettings(['--home', '/nowhere/house', '--host=igor'], { DOMUS_HOST: 'other', DOMUS_BROKER: 'tcp://127.0.0.1:1234' });
    expect(settings).toMatchObject({ home: '/nowhere/house', host: 'igor', broker: 'tcp://127.0.0.1:1234', logLevel: 'info' });
  });

  it('that it does not have are refused', () => {
    expect(() => readSettings(['--bind', 'tcp://127.0.0.1:1'], {})).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }));
  });
});
