import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { configGet, configSet, noticeList } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { Store } from './store.ts';

it('a database that is gone under a house in which nobody asks anything is there again, with all that was acknowledged, and is written to', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'db', 'x.sqlite');
  const owner = { host: 'igor', plugin: 'velbus' } as const;
  mkdirSync(dirname(path));
  await using store = await Store.open({ path, log: silentLog, lookMs: 20 });
  await store.do(configSet, { ...owner, key: 'one', value: 1 });
  // In one step, so that it is not noticed halfway.
  renameSync(dirname(path), join(folder.path, 'away'));
  await expect.poll(() => existsSync(path), { timeout: 15_000 }).toBe(true);
  await store.do(configSet, { ...owner, key: 'two', value: 2 });
  expect(await store.do(configGet, owner)).toMatchObject({ data: { one: 1, two: 2 } });
  expect((await store.do(noticeList, {})).notices).toEqual([expect.objectContaining({ text: expect.stringContaining('was deleted while the house ran') as string })]);
  expect(store.stats.operations).toBe(4);
});
