import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureFolder, homePaths } from './home.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-home-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('the home', () => {
  it('has everything inside it', () => {
    for (const path of Object.values(homePaths('/house'))) expect(path).toMatch(/^\/house(\/|$)/);
    expect(new Set(Object.values(homePaths('/house'))).size).toBe(Object.keys(homePaths('/house')).length);
  });

  it('has folders that only its owner can read', () => {
    const folder = ensureFolder(join(home, 'db', 'deep'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('keeps a folder that is there', () => {
    expect(ensureFolder(home)).toBe(home);
  });

  it('in a folder in which nothing can be made is refused at once', () => {
    const nowhere = process.platform === 'linux' ? '/proc/majordomus/deep' : '/dev/majordomus/deep';
    expect(() => ensureFolder(nowhere)).toThrow(expect.objectContaining({ code: 'HOME_NOT_WRITABLE' }));
  });

  it('that cannot be written is refused with what to do', () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    expect(() => ensureFolder(join(file, 'db'))).toThrow(expect.objectContaining({
      name: 'StartError',
      code: 'HOME_NOT_WRITABLE',
      message: `cannot make the folder ${file}/db (ENOTDIR); choose another home with --home or DOMUS_HOME, or make it writable`,
    }));
  });
});
