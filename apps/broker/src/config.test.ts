import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultBrokerLimits } from '@majordomus/mq';
import { homePaths } from '@majordomus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from './config.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-broker-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Not its default; a frame must be larger than a body. */
function valueOf(limit: string): number {
  return limit === 'maxFrameBytes' ? 8 : 7;
}

describe('the settings of the broker', () => {
  it('have every limit of rule R13 in [limits] of majordomus.toml, beside the address of the broker', () => {
    const toml = Object.keys(defaultBrokerLimits).map((key) => `${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} = ${valueOf(key)}`);
    writeFileSync(homePaths(home).settingsFile, ['broker = "tcp://127.0.0.1:5"', '[limits]', ...toml].join('\n'));
    const { broker, limits } = readSettings(['--home', home], {});
    expect(broker).toBe('tcp://127.0.0.1:5');
    expect(limits).toEqual(Object.fromEntries(Object.keys(defaultBrokerLimits).map((key) => [key, valueOf(key)])));
  });

  it('have the limits of the protocol where nothing is set', () => {
    expect(readSettings(['--home', home], {}).limits).toEqual(defaultBrokerLimits);
  });

  it('refuse a frame limit that is not above the body limit, since TOO_LARGE could not be answered', () => {
    expect(() => readSettings(['--home', home], { DOMUS_MAX_FRAME_BYTES: '1000' })).toThrow(/^max-frame-bytes \(1000\) must be above max-body-bytes/);
  });

  it.each(['0', '-1', '1.5', 'many'])('refuse a limit of %s', (value) => {
    expect(() => readSettings(['--home', home], { DOMUS_MAX_CAPACITY: value })).toThrow(/^DOMUS_MAX_CAPACITY: .* must be a whole number above 0$/);
  });
});
