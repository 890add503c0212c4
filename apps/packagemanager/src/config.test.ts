import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/packages.ts';
import { readSettings } from './config.ts';
import { ownKitFolder } from './kit.ts';

describe('the settings of packagemanager', () => {
  it('have defaults', async () => {
    await using home = await temporaryFolder();
    expect(readSettings(['--home', home.path], {})).toMatchObject({ primary: true, kitFolder: ownKitFolder, registry: undefined });
  });

  it('come from flags, variables and the table [packagemanager]', async () => {
    await using home = await temporaryFolder();
    await mkdir(home.path, { recursive: true });
    await writeFile(join(home.path, 'majordomus.toml'), 'primary = false\n[packagemanager]\nregistry = "http://registry.example.org/"\n');
    expect(readSettings(['--home', home.path], { DOMUS_KIT_FOLDER: '/kit' })).toMatchObject({ primary: false, kitFolder: '/kit', registry: 'http://registry.example.org/' });
    expect(readSettings(['--home', home.path, '--primary', 'true'], {}).primary).toBe(true);
  });

  it.each([
    [['--primary', 'yes'], /--primary: "yes" must be true or false/],
    [['--kit-folder', 'kit'], /--kit-folder: "kit" must be an absolute path/],
    [['--registry', 'ftp://registry.example.org'], /--registry: "ftp:.*" must be an address/],
  ])('that are wrong are refused: %j', (args, reason) => {
    expect(() => readSettings(args, {})).toThrow(reason);
  });
});
