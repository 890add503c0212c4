import { describe, expect, it } from 'vitest';
import heating from '../test/plugin.json' with { type: 'json' };
import { checkConfiguration } from './configuration-check.ts';
import { definePlugin } from './define-plugin.ts';

const { manifest } = definePlugin(heating, { helpers: { warm: () => 'warmer', off: () => null } });

describe('checkConfiguration', () => {
  it('fills in the defaults of what is not set', () => {
    expect(checkConfiguration(manifest, { port: '/dev/ttyS1', target: 19 })).toEqual({
      fits: true,
      configuration: { port: '/dev/ttyS1', target: 19, rooms: [], eco: false, calibration: { hall: 0.5 } },
      ignored: [],
    });
  });

  it('says what to type for a required value that is not set', () => {
    expect(checkConfiguration(manifest, {})).toEqual({
      fits: false,
      reason: 'waits for its configuration: port is not set; set it: domus config set heating port /dev/ttyUSB0',
    });
  });

  it('says what to type for a value that does not fit', () => {
    const checked = checkConfiguration(manifest, { port: '/dev/ttyS1', target: 100, calibration: 'none' });
    expect(checked).toEqual({
      fits: false,
      reason: 'waits for its configuration: target must be at most 30, not 100; set it: domus config set heating target 20.5; '
        + `calibration must be an object, not a string; set it: domus config set heating calibration '{"hall":0.5}'`,
    });
  });

  it('ignores what an older version of the plugin left behind', () => {
    expect(checkConfiguration(manifest, { port: 'a', speed: 9600 })).toMatchObject({ fits: true, ignored: ['speed'] });
    expect(checkConfiguration(manifest, { port: 'a', speed: 9600 })).not.toHaveProperty('configuration.speed');
  });
});
