import { describe, expect, it } from 'vitest';
import { epochVariable, readEpoch } from './epoch.ts';

const read = (text: string | undefined): number | undefined => readEpoch(text === undefined ? {} : { [epochVariable]: text });

describe('DOMUS_EPOCH', () => {
  it.each([['0', 0], ['1795351147194', 1_795_351_147_194], ['9007199254740991', Number.MAX_SAFE_INTEGER]])('is a decimal number: %s', (text, epoch) => {
    expect(read(text)).toBe(epoch);
  });

  it('is absent where nobody gave one', () => {
    expect([read(undefined), read('')]).toEqual([undefined, undefined]);
  });

  it.each(['x', '-1', '1.5', '1e3', ' 5', '9007199254740992', '99999999999999999'])('is refused in one line: %j', (text) => {
    expect(() => read(text)).toThrow(/^DOMUS_EPOCH: ".*" must be a whole number from 0 to 9007199254740991, such as the time in milliseconds$/);
  });
});
