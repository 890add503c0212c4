import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/packages.ts';
import { keepFolder } from './kept-folder.ts';

it('a folder that is deleted is made again, each time; what keeps it from that is said once', async () => {
  await using root = await temporaryFolder();
  const folder = join(root.path, 'packages');
  const said: unknown[] = [];
  let tries = 0;
  let hasRoom = true;
  const stopping = new AbortController();
  const kept = keepFolder({
    folder, signal: stopping.signal, lookEveryMs: 1,
    log: { error: (text: unknown) => void said.push(text) },
    restore: async () => {
      tries += 1;
      if (!hasRoom) throw new TypeError('no room');
      await mkdir(folder);
    },
  });
  const isMade = (): Promise<void> => expect.poll(() => access(folder).then(() => true, () => false)).toBe(true);
  try {
    await isMade();
    for (const times of [1, 2]) {
      hasRoom = false;
      const before = tries;
      await rm(folder, { recursive: true });
      await expect.poll(() => tries).toBeGreaterThan(before + 5);
      expect(said).toEqual(Array(times).fill(expect.stringMatching(/packages is gone .* cannot be made again: no room; see to that/)));
      hasRoom = true;
      await isMade();
    }
  } finally {
    stopping.abort();
    await kept;
  }
});

it('a folder that cannot be seen is said, and is no failure of the house', async () => {
  await using root = await temporaryFolder();
  const { promise: said, resolve } = Promise.withResolvers<unknown>();
  const stopping = new AbortController();
  const kept = keepFolder({ folder: join(root.path, 'a'.repeat(300)), signal: stopping.signal, lookEveryMs: 1, log: { error: resolve }, restore: () => Promise.resolve() });
  try {
    await expect(Promise.race([said, kept])).resolves.toMatch(/cannot be seen.*ENAMETOOLONG/);
  } finally {
    stopping.abort();
    await kept;
  }
});
