import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { configDelete, configGet, configHistory, configList, configRevert, configSet, type JsonValue } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { Store } from './store.ts';

type Step =
  | { readonly do: 'set'; readonly plugin: string; readonly data: Record<string, JsonValue> }
  | { readonly do: 'delete'; readonly plugin: string; readonly key: string | undefined }
  | { readonly do: 'get'; readonly plugin: string; readonly key: string | undefined }
  | { readonly do: 'history'; readonly plugin: string; readonly key: string | undefined; readonly limit: number }
  /** `back` changes before the newest one of then; one that has not happened yet if that is negative. */
  | { readonly do: 'revert'; readonly plugin: string; readonly key: string | undefined; readonly back: number }
  | { readonly do: 'list' }
  | { readonly do: 'reopen' };

const plugin = fc.constantFrom('velbus', 'mqtt');
// Few keys, so that steps meet; one that every object inherits is among them.
const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('b', 'a', 'constructor') }, { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/) });
const maybeKey = fc.option(key, { nil: undefined });
/** What arrives over the bus: JSON, so no negative zero. Few values, too, so that some are set again. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<JsonValue>(null, 1, 'x') },
  { weight: 1, arbitrary: fc.jsonValue().map((any) => JSON.parse(JSON.stringify(any)) as JsonValue) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('set' as const), plugin, data: fc.dictionary(key, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('get' as const), plugin, key: maybeKey }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('delete' as const), plugin, key: maybeKey }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('history' as const), plugin, key: maybeKey, limit: fc.integer({ min: 1, max: 10 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('revert' as const), plugin, key: maybeKey, back: fc.integer({ min: -1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

type Values = ReadonlyMap<string, JsonValue>;

/** The values after a change, and the change. */
interface Moment {
  readonly change: number;
  readonly plugin: string;
  readonly key: string;
  readonly old: JsonValue | undefined;
  readonly new: JsonValue | undefined;
}

/** The store of one host as plain maps and a list: what each step answers, given what was done before. */
class Model {
  readonly #host: string;
  readonly #first: number;
  #values = new Map<string, Values>();
  readonly #moments: Moment[] = [];

  /** `latest` is the number of the newest change in the house. */
  constructor(host: string, latest: number) {
    this.#host = host;
    this.#first = latest;
  }

  get latest(): number {
    return this.#first + this.#moments.length;
  }

  answer(step: Exclude<Step, { do: 'reopen' }>): unknown {
    if (step.do === 'list') {
      const configurations = [...this.#values].filter(([, values]) => values.size > 0).map(([plugin, values]) => ({ host: this.#host, plugin, keys: values.size }));
      return configurations.sort((one, other) => (one.plugin < other.plugin ? -1 : 1));
    }
    const { plugin } = step;
    const owner = { host: this.#host, plugin };
    const values = this.#of(plugin);
    switch (step.do) {
      case 'set':
        this.#become(plugin, new Map([...values, ...Object.entries(step.data)]), Object.keys(step.data));
        return owner;
      case 'delete': {
        const kept = new Map([...values].filter(([key]) => step.key !== undefined && key !== step.key));
        return { ...owner, deleted: this.#become(plugin, kept, [...values.keys()].sort()).length };
      }
      case 'get': {
        const { key } = step;
        if (key === undefined) return { ...owner, data: Object.fromEntries(values), defaults: [] };
        return values.has(key) ? { ...owner, key, value: values.get(key) } : 'CONFIG_NOT_FOUND';
      }
      case 'history': {
        const changes = this.#moments.filter((moment) => moment.plugin === plugin && (step.key === undefined || moment.key === step.key)).toReversed().slice(0, step.limit);
        return { ...owner, latest: this.latest, changes: changes.map(({ change, key, old, new: after }) => [change, key, old, after]) };
      }
      case 'revert': {
        const to = this.at(step.back);
        if (to > this.latest) return 'HISTORY_NOT_FOUND';
        // Played from the start, in contrast to the store, which goes back from the end.
        const then = new Map<string, JsonValue>();
        for (const { change, key, new: after } of this.#moments.filter((moment) => moment.plugin === plugin)) {
          if (change > to) continue;
          if (after === undefined) then.delete(key);
          else then.set(key, after);
        }
        const isMeant = (key: string): boolean => step.key === undefined || key === step.key;
        const wanted = new Map([...[...values].filter(([key]) => !isMeant(key)), ...[...then].filter(([key]) => isMeant(key))]);
        return { ...owner, changed: this.#become(plugin, wanted, [...new Set([...values.keys(), ...then.keys()])].sort()) };
      }
      default:
        return step satisfies never;
    }
  }

  /** The number that many changes before the newest, of this host at most. */
  at(back: number): number {
    return Math.max(this.#first, this.latest - back);
  }

  #of(plugin: string): Values {
    return this.#values.get(plugin) ?? new Map<string, JsonValue>();
  }

  /** Takes the new values, and keeps what differs, in the order of `keys`; gives the keys that differ. */
  #become(plugin: string, after: Values, keys: readonly string[]): string[] {
    const before = this.#of(plugin);
    const changed = keys.filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)));
    for (const key of changed) this.#moments.push({ change: this.latest + 1, plugin, key, old: before.get(key), new: after.get(key) });
    this.#values.set(plugin, after);
    return changed;
  }
}

/** What the store answers to the same step; a refusal as its code. */
async function answer(store: Store, host: string, step: Exclude<Step, { do: 'reopen' }>, to: number): Promise<unknown> {
  try {
    if (step.do === 'list') return (await store.do(configList, {})).configurations.filter((one) => one.host === host);
    const owner = { host, plugin: step.plugin };
    if (step.do === 'set') return await store.do(configSet, { ...owner, data: step.data });
    const data = step.key === undefined ? owner : { ...owner, key: step.key };
    if (step.do === 'history') {
      const { changes, ...rest } = await store.do(configHistory, { ...data, limit: step.limit });
      return { ...rest, changes: changes.map(({ change, key, old, new: after }) => [change, key, old, after]) };
    }
    if (step.do === 'revert') return await store.do(configRevert, { ...data, to });
    return step.do === 'delete' ? await store.do(configDelete, data) : await store.do(configGet, data);
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

it('the store answers as plain maps would, whatever is asked, many at once, over closing and opening', async () => {
  using folder = temporaryFolder();
  const open = (): Promise<Store> => Store.open({ path: join(folder.path, 'x.sqlite'), log: silentLog });
  let store = await open();
  let runs = 0;
  let latest = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      // Each run has a host of its own, and so an empty store.
      const host = `host${runs++}`;
      const model = new Model(host, latest);
      const asked: Promise<unknown>[] = [];
      const expected: unknown[] = [];
      for (const step of steps) {
        if (step.do === 'reopen') {
          await store.close();
          store = await open();
        } else {
          const to = step.do === 'revert' ? model.at(step.back) : 0;
          expected.push(model.answer(step));
          asked.push(answer(store, host, step, to));
        }
      }
      latest = model.latest;
      expect(await Promise.all(asked)).toEqual(expected);
    }),
    // On a busy machine, as many as there is time for; a failure is told before the test is given up.
    { numRuns: 15, interruptAfterTimeLimit: 30_000 },
  );
  await store.close();
});
