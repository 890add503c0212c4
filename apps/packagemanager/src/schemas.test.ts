import { join } from 'node:path';
import { silentLog } from '@majordomus/runtime';
import { expect, it } from 'vitest';
import { newHouse } from '../test/house.ts';
import { writePackage } from '../test/packages.ts';
import { keepSchemas } from './schemas.ts';

it('a dbmanager that has lost a schema is given those of all packages again', async () => {
  await using house = await newHouse();
  for (const name of ['heater', 'lamp']) await house.install(await writePackage(join(house.folder, name), { manifest: { name } }));
  const known = new Set<string>();
  const stopping = new AbortController();
  const kept = keepSchemas({
    store: house.store, log: silentLog, signal: stopping.signal, lookEveryMs: 1,
    registerSchema: async ({ name }) => void known.add(name),
    hasSchema: async (name) => known.has(name),
  });
  try {
    await expect.poll(() => [...known]).toEqual(['heater', 'lamp']);
    known.delete('lamp');
    await expect.poll(() => [...known]).toEqual(['heater', 'lamp']);
    // As with a database that is gone.
    known.clear();
    await expect.poll(() => [...known]).toEqual(['heater', 'lamp']);
  } finally {
    stopping.abort();
    await kept;
  }
});

it('a dbmanager that does not answer is asked again', async () => {
  await using house = await newHouse();
  await house.install(await writePackage(join(house.folder, 'lamp')));
  const stopping = new AbortController();
  let answers = 0;
  let given = 0;
  const kept = keepSchemas({
    store: house.store, log: silentLog, signal: stopping.signal, lookEveryMs: 1,
    registerSchema: async () => void (given += 1),
    hasSchema: async () => {
      answers += 1;
      if (answers === 1) throw new TypeError('dbmanager is away');
      return answers > 2;
    },
  });
  try {
    await expect.poll(() => ({ given, isAsked: answers > 2 })).toEqual({ given: 2, isAsked: true });
  } finally {
    stopping.abort();
    await kept;
  }
});
