import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newHouse, type House } from '../test/house.ts';
import { writePackage } from '../test/packages.ts';
import { ownKitFolder, renewKit } from './kit.ts';

/** A kit that a plugin can be run with, in TypeScript as the house's own. */
async function writeKit(house: House, name: string): Promise<string> {
  return writePackage(join(house.folder, name), {
    files: { 'package.json': JSON.stringify({ name: '@majordomus/plugin', type: 'module', exports: './index.ts' }), 'index.ts': `export const kit: string = '${name}';\n` },
  });
}

const linkOf = (house: House): string => join(house.packages, 'node_modules', '@majordomus', 'plugin');

describe('the plugin author’s kit', () => {
  it('is found by a plugin that is installed, as TypeScript, though nothing was installed for it', async () => {
    await using house = await newHouse();
    await renewKit(house.store, house.packages, await writeKit(house, 'kit'));
    await house.install(await writePackage(join(house.folder, 'source'), { files: { 'src/main.ts': 'import { kit } from "@majordomus/plugin";\nconsole.log(kit);\n' } }));
    expect(execFileSync(process.execPath, ['current/src/main.ts'], { cwd: join(house.packages, 'lamp'), encoding: 'utf8' })).toBe('kit\n');
  });

  it('is renewed at each start, and what a crash left beside it goes', async () => {
    await using house = await newHouse();
    await renewKit(house.store, house.packages, '/old');
    await symlink('/old', join(house.packages, 'node_modules', '@majordomus', '.link-left'));
    for (const kit of ['/new', '/new']) {
      await renewKit(house.store, house.packages, kit);
      expect(await readlink(linkOf(house))).toBe('/new');
      expect(await readdir(join(house.packages, 'node_modules', '@majordomus'))).toEqual(['plugin']);
    }
  });

  it('takes the place of whatever else stands there', async () => {
    await using house = await newHouse();
    await mkdir(linkOf(house), { recursive: true });
    await writeFile(join(linkOf(house), 'package.json'), '{}');
    await renewKit(house.store, house.packages, '/kit');
    expect(await readlink(linkOf(house))).toBe('/kit');
  });

  it('is that of this checkout by default', async () => {
    expect(await readdir(ownKitFolder)).toContain('package.json');
  });
});
