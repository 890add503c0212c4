import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifest } from '@majordomus/contracts';
import { majordomusVersion } from '@majordomus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPluginFolder, languages, linkPluginFolder, type Language } from './plugin-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'majordomus-create-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function readJson(...path: readonly string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8')) as Record<string, unknown>;
}

describe('the folder of a new plugin', () => {
  it.each(Object.keys(languages) as Language[])('has a manifest that fits this house, and nothing left to be filled in (%s)', (language) => {
    createPluginFolder(join(root, 'lamp'), 'lamp', language);
    const read = manifest.parse(readJson('lamp', 'plugin.json'));
    expect(read).toMatchObject({ name: 'lamp', engine: `^${majordomusVersion}` });
    expect([read.configuration, read.commands, read.sensors].map((items) => Object.keys(items).length)).toEqual([1, 1, 1]);
    for (const entry of readdirSync(join(root, 'lamp'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) expect(readFileSync(join(entry.parentPath, entry.name), 'utf8')).not.toMatch(/\{\{\w+\}\}/);
    }
    expect(readFileSync(join(root, 'lamp', 'README.md'), 'utf8')).toMatch(/^# lamp\n/);
    expect(readFileSync(join(root, 'lamp', '.gitignore'), 'utf8')).toMatch(language === 'python' ? /__pycache__/ : /node_modules/);
    expect(statSync(join(root, 'lamp')).mode & 0o777).toBe(0o755);
    expect(readdirSync(root)).toEqual(['lamp']);
  });

  it('has the kit of this house for npm, Node and editors, of one version with the house', () => {
    createPluginFolder(join(root, 'lamp'), 'lamp', 'ts');
    const kit = readlinkSync(join(root, 'lamp', 'node_modules', '@majordomus', 'plugin'));
    expect(readJson('lamp', 'package.json')).toMatchObject({ devDependencies: { '@majordomus/plugin': `file:${kit}` } });
    expect(JSON.parse(readFileSync(join(kit, 'package.json'), 'utf8'))).toMatchObject({ name: '@majordomus/plugin', version: majordomusVersion });
    // npm goes into what it finds there.
    expect(() => lstatSync(join(kit, 'node_modules'))).toThrow('ENOENT');
    expect(readlinkSync(join(root, 'lamp', 'node_modules', '.bin', 'node'))).toBe(process.execPath);
    expect(statSync(join(root, 'lamp', 'node_modules', '.bin', 'domus')).mode & 0o100).toBe(0o100);
  });

  it.each([
    ['Kitchen_Lamp', '"Kitchen_Lamp" cannot be the name of a plugin: it must be a name: a lower-case letter, then letters, digits and "-", 63 at most; for example kitchen-lamp'],
    ['./a/Lamp', /; for example lamp \(--folder says where it is made\)$/],
    ['manager', '"manager" cannot be the name of a plugin: it must not be a reserved name'],
    ['', /^"" cannot be the name of a plugin: it must be a name/],
  ])('is not made for the name %j', (name, message) => {
    expect(() => createPluginFolder(join(root, 'lamp'), name, 'ts')).toThrow(expect.objectContaining({ code: 'NAME_INVALID', message: typeof message === 'string' ? message : expect.stringMatching(message) }));
    expect(readdirSync(root)).toEqual([]);
  });

  it('is not made where anything is already', () => {
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'file'), 'mine');
    symlinkSync('nowhere', join(root, 'link'));
    for (const name of ['folder', 'file', 'link']) {
      expect(() => createPluginFolder(join(root, name), 'lamp', 'ts')).toThrow(expect.objectContaining({ code: 'FOLDER_EXISTS' }));
    }
    expect(readdirSync(join(root, 'folder'))).toEqual([]);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('mine');
  });

  it('is not made where it cannot be, and nothing of it is left', () => {
    writeFileSync(join(root, 'file'), '');
    for (const [path, reason] of [['nowhere/lamp', /there is no folder .*nowhere/], ['file/lamp', /ENOTDIR/], ['file/deep/lamp', /there is no folder/]] as const) {
      expect(() => createPluginFolder(join(root, path), 'lamp', 'ts')).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_WRITABLE', message: expect.stringMatching(reason) }));
    }
    expect(() => createPluginFolder('/proc/lamp', 'lamp', 'ts')).toThrow(expect.objectContaining({ code: 'FOLDER_NOT_WRITABLE' }));
    expect(readdirSync(root)).toEqual(['file']);
  });
});

describe('the folder of a plugin from elsewhere', () => {
  it('is linked to this house again', () => {
    createPluginFolder(join(root, 'lamp'), 'lamp', 'ts');
    const whole = readJson('lamp', 'package.json');
    const packageFile = join(root, 'lamp', 'package.json');
    writeFileSync(packageFile, readFileSync(packageFile, 'utf8').replace(/"file:[^"]*"/, '"file:/nowhere/plugin"'));
    rmSync(join(root, 'lamp', 'node_modules'), { recursive: true });
    linkPluginFolder(join(root, 'lamp'));
    expect(readJson('lamp', 'package.json')).toEqual(whole);
    expect(statSync(join(root, 'lamp', 'node_modules', '@majordomus', 'plugin', 'package.json')).isFile()).toBe(true);
    expect(statSync(join(root, 'lamp', 'node_modules', '.bin', 'node')).isFile()).toBe(true);
  });

  it('is linked, too, when it was made by hand', () => {
    mkdirSync(join(root, 'hello'));
    writeFileSync(join(root, 'hello', 'plugin.json'), '{ "main": "main.ts" }');
    linkPluginFolder(join(root, 'hello'));
    expect(readdirSync(join(root, 'hello')).sort()).toEqual(['node_modules', 'plugin.json']);
    expect(statSync(join(root, 'hello', 'node_modules', '@majordomus', 'plugin', 'package.json')).isFile()).toBe(true);
  });

  it('is left alone when it is none', () => {
    createPluginFolder(join(root, 'lamp'), 'lamp', 'python');
    for (const folder of ['nowhere', '.', 'lamp']) {
      expect(() => linkPluginFolder(join(root, folder))).toThrow(expect.objectContaining({ code: 'SOURCE_NOT_FOUND' }));
    }
  });
});
