import { describe, expect, expectTypeOf, it } from 'vitest';
import { configGet, type stopPlugin } from './index.ts';
import { ActionFailure, refuse } from './failure.ts';

describe('a refusal', () => {
  it('has its code, its reason, its details and its cause', () => {
    const cause = new RangeError('no such page');
    const refusal = refuse(configGet, 'CONFIG_NOT_FOUND', 'limit is not set', { key: 'limit' }, { cause });
    expect(refusal).toBeInstanceOf(ActionFailure);
    expect(refusal).toMatchObject({ code: 'CONFIG_NOT_FOUND', message: 'limit is not set', details: { key: 'limit' }, cause });
    expect(refuse(configGet, 'STORAGE_ERROR', 'the disk is full').details).toEqual({});
  });

  it('has a code of its contract, or does not compile', () => {
    expectTypeOf(refuse<typeof configGet>).parameter(1).toEqualTypeOf<'CONFIG_NOT_FOUND' | 'SECRET_UNREADABLE' | 'STORAGE_ERROR' | 'STORAGE_FULL'>();
    expectTypeOf(refuse<typeof stopPlugin>).parameter(1).toEqualTypeOf<never>();
  });
});
