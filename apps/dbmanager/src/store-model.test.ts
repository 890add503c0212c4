import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonValue } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { Store } from './store.ts';

type Step =
  | { readonly do: 'set'; readonly plugin: string; readonly data: Record<string, JsonValue> }
  | { readonly do: 'delete'; readonly plugin: string; readonly key: string | undefined }
  | { readonly do: 'get'; readonly plugin: string; readonly key: string | undefined }
  | { readonly do: 'list' }
  | { readonly do: 'reopen' };

const plugin = fc.constantFrom('velbus', 'mqtt');
// Few keys, so that steps meet; one that every object inherits is among them.
const key = fc.oneof(fc.constantFrom('a', 'b', 'constructor'), fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/));
const maybeKey = fc.option(key, { nil: undefined });
/** What arrives over the bus: JSON, so no negative zero. */
const value = fc.jsonValue().map((any) => JSON.parse(JSON.stringify(any)) as JsonValue);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), plugin, data: fc.dictionary(key, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), plugin, key: maybeKey }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), plugin, key: maybeKey }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('list' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

/** The store as plain maps: what each step answers, given what it did before. */
function answerOf(model: Map<string, Map<string, JsonValue>>, host: string, step: Exclude<Step, { do: 'reopen' }>): unknown {
  if (step.do === 'list') {
    const configurations = [...model].filter(([, values]) => values.size > 0).map(([plugin, values]) => ({ host, plugin, keys: values.size }));
    return configurations.sort((one, other) => (one.plugin < other.plugin ? -1 : 1));
  }
  const owner = { host, plugin: step.plugin };
  const values = model.get(step.plugin) ?? new Map<string, JsonValue>();
  model.set(step.plugin, values);
  if (step.do === 'set') {
    for (const [key, value] of Object.entries(step.data)) values.set(key, value);
    return owner;
  }
  const { key } = step;
  if (step.do === 'delete') {
    const deleted = key === undefined ? values.size : Number(values.delete(key));
    if (key === undefined) values.clear();
    return { ...owner, deleted };
  }
  if (key === undefined) return { ...owner, data: Object.fromEntries(values), defaults: [] };
  return values.has(key) ? { ...owner, key, value: values.get(key) } : 'CONFIG_NOT_FOUND';
}

/** What the store answers to the same step; a refusal as its code. */
async function answer(store: Store, host: string, step: Exclude<Step, { do: 'reopen' }>): Promise<unknown> {
  try {
    if (step.do === 'list') return (await store.list()).configurations.filter((one) => one.host === host);
    const owner = { host, plugin: step.plugin };
    if (step.do === 'set') return await store.set({ ...owner, data: step.data });
    const data = step.key === undefined ? owner : { ...owner, key: step.key };
    return step.do === 'delete' ? await store.delete(data) : await store.get(data);
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

it('the store answers as plain maps would, whatever is asked, many at once, over closing and opening', async () => {
  using folder = temporaryFolder();
  const open = (): Promise<Store> => Store.open({ path: join(folder.path, 'x.sqlite'), log: silentLog });
  let store = await open();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      // Each run has a host of its own, and so an empty store.
      const host = `host${runs++}`;
      const model = new Map<string, Map<string, JsonValue>>();
      const asked: Promise<unknown>[] = [];
      const expected: unknown[] = [];
      for (const step of steps) {
        if (step.do === 'reopen') {
          await store.close();
          store = await open();
        } else {
          expected.push(answerOf(model, host, step));
          asked.push(answer(store, host, step));
        }
      }
      expect(await Promise.all(asked)).toEqual(expected);
    }),
    { numRuns: 25 },
  );
  await store.close();
});
