import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSystemError, reasonOf, systemReason } from './error-reason.ts';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

const missing = thrownBy(() => readFileSync('/nowhere/at/all'));

describe('an error of the operating system', () => {
  it('is known, by any of its codes', () => {
    expect(isSystemError(missing)).toBe(true);
    expect(isSystemError(missing, 'EACCES', 'ENOENT')).toBe(true);
    expect(isSystemError(missing, 'EACCES')).toBe(false);
  });

  it.each([new Error('ENOENT'), Object.assign(new Error('no'), { code: 'ENOENT' }), { errno: -2, code: 'ENOENT' }, 'ENOENT', null])('is not %j', (error) => {
    expect(isSystemError(error)).toBe(false);
  });

  it('has its reason without the path', () => {
    expect(systemReason(missing)).toBe('no such file or directory (ENOENT)');
    expect(systemReason(new Error('the disk is gone'))).toBe('the disk is gone');
    // Node's own, not a system call's.
    expect(systemReason(thrownBy(() => rmSync('/proc')))).toBe('illegal operation on a directory (ERR_FS_EISDIR)');
  });
});

describe('the reason of what was thrown', () => {
  it.each<[unknown, string]>([
    [new Error('the boiler is cold'), 'the boiler is cold'],
    [new RangeError(), 'RangeError'],
    ['the boiler is cold', 'the boiler is cold'],
    [undefined, 'undefined'],
    [Object.create(null), '[Object: null prototype] {}'],
  ])('%o is %j', (thrown, reason) => {
    expect(reasonOf(thrown)).toBe(reason);
  });
});
