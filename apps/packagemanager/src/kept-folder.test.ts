import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/packages.ts';
import { keepFolder } from './kept-folder.ts';

it('a folder that is deleted is made again, and that is said, each time', async () => {
  await using root = await temporaryFolder();
  const folder = join(root.path, 'packages');
  await mkdir(folder);
  const said: unknown[] = [];
  let tries = 0;
  const stopping = new AbortController();
  const kept = keepFolder({
    folder, signal: stopping.signal, lookEveryMs: 1,
    log: { error: (text: unknown) => void said.push(text) },
    restore: async () => {
      tries += 1;
      if (tries === 2) throw new TypeError('no room');
      await mkdir(folder);
    },
  });
  try {
    await rm(folder, { recursive: true });
    await expect.poll(() => said).toEqual([expect.stringMatching(/packages was deleted under the house, .* install the plugins again, their configuration is kept$/)]);
    await rm(folder, { recursive: true });
    await expect.poll(() => said).toEqual([expect.anything(), expect.stringMatching(/cannot be made again: .*no room/), expect.stringMatching(/it is there again/)]);
  } finally {
    stopping.abort();
    await kept;
  }
});
