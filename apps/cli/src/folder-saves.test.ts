import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookAt, savesOf } from './folder-saves.ts';

describe('the saves of a folder', () => {
  let folder: string;
  let stopping: AbortController;
  let saves: AsyncGenerator<void>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'majordomus-saves-'));
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'main.ts'), 'one');
    stopping = new AbortController();
    saves = await savesOf(folder, stopping.signal);
  });
  afterEach(() => {
    stopping.abort();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each<[string, (folder: string) => void]>([
    ['a file that is written', (folder) => writeFileSync(join(folder, 'main.ts'), 'other')],
    ['a file that is replaced by renaming', (folder) => {
      writeFileSync(join(folder, 'main.ts~'), 'two');
      renameSync(join(folder, 'main.ts~'), join(folder, 'main.ts'));
    }],
    ['a file in a new folder', (folder) => {
      mkdirSync(join(folder, 'src', 'deep'), { recursive: true });
      writeFileSync(join(folder, 'src', 'deep', 'new.ts'), '');
    }],
    ['a file that is deleted', (folder) => rmSync(join(folder, 'main.ts'))],
  ])('are told of %s', async (_what, save) => {
    save(folder);
    expect(await saves.next()).toEqual({ done: false, value: undefined });
  });

  it('are one for several files at once', async () => {
    for (let index = 0; index < 20; index += 1) writeFileSync(join(folder, `part-${index}.ts`), '');
    expect((await saves.next()).done).toBe(false);
    stopping.abort();
    expect((await saves.next()).done).toBe(true);
  });

  it('are not those of dependencies, caches, git and editors', async () => {
    const before = await lookAt(folder);
    for (const name of ['node_modules', '__pycache__', '.git']) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'index.js'), '');
    }
    for (const name of ['.main.ts.swp', 'main.ts~', '.#main.ts']) writeFileSync(join(folder, name), '');
    expect(await lookAt(folder)).toBe(before);
  });

  it('are told that came while nobody asked', async () => {
    writeFileSync(join(folder, 'main.ts'), 'two');
    expect((await saves.next()).done).toBe(false);
    writeFileSync(join(folder, 'main.ts'), 'three');
    expect((await saves.next()).done).toBe(false);
  });

  it('end with the signal', async () => {
    const next = saves.next();
    stopping.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('end with an error when the folder is deleted', async () => {
    rmSync(folder, { recursive: true });
    await expect(saves.next()).rejects.toMatchObject({ code: 'FOLDER_GONE', message: `${folder} is not there any more` });
  });
});
