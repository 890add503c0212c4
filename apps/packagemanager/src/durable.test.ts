import { mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/packages.ts';
import { exists, linkTarget, switchLink, syncTree } from './durable.ts';

describe('a link that is switched', () => {
  it('is never missing for whoever follows it meanwhile', async () => {
    await using folder = await temporaryFolder();
    const link = join(folder.path, 'current');
    await switchLink(link, 'old');
    const switched = new AbortController();
    const seen = new Set<string>();
    const follow = async (): Promise<void> => {
      while (!switched.signal.aborted) seen.add(await readlink(link));
    };
    const following = follow();
    for (let count = 0; count < 100; count += 1) await switchLink(link, count % 2 === 0 ? 'new' : 'old');
    switched.abort();
    await following;
    expect([...seen].sort()).toEqual(['new', 'old']);
    expect(await readdir(folder.path)).toEqual(['current']);
  });

  it('stays as it was when the switch fails, with nothing beside it', async () => {
    await using folder = await temporaryFolder();
    const link = join(folder.path, 'current');
    await switchLink(link, 'old');
    await expect(switchLink(link, 'new', async () => Promise.reject(new Error('full')))).rejects.toThrow('full');
    expect(await linkTarget(link)).toBe('old');
    expect(await readdir(folder.path)).toEqual(['current']);
  });
});

describe('bringing a tree to disk', () => {
  it('takes files, folders and links as they come, also one that leads nowhere', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'a/b'), { recursive: true });
    await Promise.all(Array.from({ length: 100 }, (_, index) => writeFile(join(folder.path, 'a', `${index}`), 'text')));
    await symlink('nowhere', join(folder.path, 'a/b/link'));
    await syncTree(folder.path, new AbortController().signal);
  });

  it('ends with the signal', async () => {
    await using folder = await temporaryFolder();
    await expect(syncTree(folder.path, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});

describe('what stands at a path', () => {
  it('is told apart: a link, something else, nothing', async () => {
    await using folder = await temporaryFolder();
    await symlink('nowhere', join(folder.path, 'link'));
    expect([await linkTarget(join(folder.path, 'link')), await linkTarget(folder.path), await linkTarget(join(folder.path, 'none'))]).toEqual(['nowhere', undefined, undefined]);
    expect([await exists(join(folder.path, 'link')), await exists(folder.path), await exists(join(folder.path, 'none'))]).toEqual([true, true, false]);
  });
});
