import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configGet, configSet, noticeList } from '@majordomus/contracts';
import { silentLog } from '@majordomus/runtime';
import { DamagedHome, keyOf, pageBytes, valueOf } from '../../test/damaged-home.ts';
import { Store } from './store.ts';

let home: DamagedHome;

beforeEach(() => {
  home = new DamagedHome();
});
afterEach(() => home[Symbol.dispose]());

describe('damage that is found while the database is used', () => {
  it('ends the use of that connection: what was damaged is set aside, the rest is there, and it is written to again', async () => {
    const owner = { host: 'igor', plugin: 'velbus' };
    const count = 100;
    const large = (index: number): string => `${valueOf(index)}${'y'.repeat(60_000)}`;
    {
      await using filling = await Store.open({ path: home.path, log: silentLog });
      await filling.do(configSet, { ...owner, data: Object.fromEntries(Array.from({ length: count }, (_, index) => [keyOf(index), large(index)])) });
    }
    // Nothing of it is in memory.
    await using store = await Store.open({ path: home.path, log: silentLog, lookMs: 600_000 });
    // A disk that gives other bytes back does not say that it does.
    const times = join(home.folder.path, 'times');
    execFileSync('touch', ['-r', home.path, times]);
    const bytes = readFileSync(home.path);
    bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 100 * pageBytes);
    writeFileSync(home.path, bytes);
    execFileSync('touch', ['-r', times, home.path]);
    const answers = await Promise.allSettled(Array.from({ length: count }, (_, index) => store.do(configGet, { ...owner, key: keyOf(index) })));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused) expect(reason).toMatchObject({ code: expect.stringMatching(/^(STORAGE_ERROR|CONFIG_NOT_FOUND)$/) });
    await store.do(configSet, { ...owner, key: keyOf(0), value: 'after' });
    expect(await store.do(configGet, { ...owner, key: keyOf(0) })).toMatchObject({ value: 'after' });
    const all = await store.do(configGet, owner);
    expect(Object.keys('data' in all ? all.data : {}).length).toBeGreaterThan(count / 2);
    expect((await store.do(noticeList, {})).notices).toEqual([expect.objectContaining({ text: expect.stringContaining('was damaged') })]);
    expect(home.names().some((name) => name.includes('.corrupt-'))).toBe(true);
  });
});
