import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { giveFreeName } from './free-name.ts';
import { OpenFiles } from './open-files.ts';

it('where the system does not say whether a file is there, it is not lost, and that is told once', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'db', 'x.sqlite');
  const away = join(folder.path, 'away');
  mkdirSync(dirname(path));
  writeFileSync(path, '');
  const files = new OpenFiles(path);
  for (let times = 0; times < 2; times++) {
    renameSync(dirname(path), away);
    // Nobody may follow this one, root neither.
    symlinkSync(dirname(path), dirname(path));
    expect(files.look()).toEqual({ trouble: expect.stringContaining('(ELOOP)') });
    expect(files.look()).toEqual({});
    rmSync(dirname(path));
    renameSync(away, dirname(path));
    expect(files.look()).toEqual({});
  }
  rmSync(path);
  expect(files.look()).toMatchObject({ loss: { kind: 'deleted' } });
});

it('a name that something has is not given to a file', () => {
  using folder = temporaryFolder();
  const [file, name] = [join(folder.path, 'file'), join(folder.path, 'name')];
  writeFileSync(file, 'one');
  writeFileSync(name, 'other');
  expect(giveFreeName(file, name)).toBe(false);
  rmSync(name);
  expect(giveFreeName(file, name)).toBe(true);
});
