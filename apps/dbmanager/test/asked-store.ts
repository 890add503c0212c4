// Words for what the tests ask of a store.
import { expect } from 'vitest';
import { configGet, configSet, type ResultOf } from '@majordomus/contracts';
import type { Store } from '../src/store/store.ts';

export const owner = { host: 'igor', plugin: 'velbus' } as const;

export function set(store: Store, key: string, value: number): Promise<ResultOf<typeof configSet>> {
  return store.do(configSet, { ...owner, key, value });
}

export async function valueOf(store: Store, key: string): Promise<unknown> {
  const result = await store.do(configGet, { ...owner, key });
  return 'value' in result ? result.value : expect.unreachable();
}
