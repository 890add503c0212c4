// The plugin as a house runs it, on the disks of this machine.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testPlugin } from '@majordomus/plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskAsker } from './disk-asker.ts';
import { Disks, type Check, type Disk } from './disks.ts';
import { diskfree } from './plugin.ts';

const hanging = fileURLToPath(new URL('../test/hanging-disks.ts', import.meta.url));
/** What other programs may write while two of ours look. */
const toleranceBytes = 512 * 1024 * 1024;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'majordomus-diskfree-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function df(path: string): Promise<{ device: string; size: number; used: number; free: number; usedPercent: number; mountPoint: string }> {
  const { stdout } = await promisify(execFile)('df', ['-kP', path], { env: { ...process.env, LC_ALL: 'C' } });
  const [device = '', size, used, free, percent = '', mountPoint = ''] = stdout.trim().split('\n').at(-1)?.split(/\s+/) ?? [];
  return { device, size: Number(size) * 1024, used: Number(used) * 1024, free: Number(free) * 1024, usedPercent: Number.parseInt(percent, 10), mountPoint };
}

describe('diskfree', () => {
  it('lists the disk of / with the numbers of df', async () => {
    await using plugin = await testPlugin(diskfree());
    expect(plugin.state()).toEqual({ ready: true });
    const disks = (await plugin.helper('list')) as unknown as Disk[];
    const root = disks.find(({ mountPoint }) => mountPoint === '/');
    const expected = await df('/');
    expect(root).toMatchObject({ device: expected.device, size: expected.size });
    const { used, free, usedPercent } = { used: -1, free: -1, usedPercent: -1, ...root };
    expect(Math.abs(used - expected.used)).toBeLessThan(toleranceBytes);
    expect(Math.abs(free - expected.free)).toBeLessThan(toleranceBytes);
    expect(Math.abs(usedPercent - expected.usedPercent)).toBeLessThanOrEqual(1);
  });

  it('leaves out what is no disk, unless asked for', async () => {
    await using plugin = await testPlugin(diskfree());
    const types = async (all: boolean): Promise<string[]> => ((await plugin.helper('list', { all })) as unknown as Disk[]).map(({ fileSystem }) => fileSystem);
    expect(await types(false)).not.toContain('proc');
    expect(await types(true)).toContain('proc');
  });

  it('checks a path against the limit, both ways', async () => {
    await using plugin = await testPlugin(diskfree(), { configuration: { limit: 100 } });
    const { usedPercent, mountPoint } = await df(folder);
    const fine = (await plugin.helper('check', { path: folder })) as unknown as Check;
    expect(fine).toEqual({ path: folder, mountPoint, usedPercent: expect.any(Number), limit: 100, ok: true });
    expect(Math.abs(fine.usedPercent - usedPercent)).toBeLessThanOrEqual(1);
    const asker = new DiskAsker({ program: hanging });
    await using other = await testPlugin(diskfree(new Disks({ asker })));
    await expect(other.helper('check', { path: '/' })).resolves.toMatchObject({ usedPercent: 45, limit: 90, ok: true });
    await expect(other.helper('check', { path: '/', limit: 45 })).resolves.toMatchObject({ limit: 45, ok: true });
    await expect(other.helper('check', { path: '/', limit: 44 })).resolves.toMatchObject({ limit: 44, ok: false });
  });

  it('follows a link to the disk that it leads to', async () => {
    const link = join(folder, 'link');
    await symlink('/proc', link);
    await using plugin = await testPlugin(diskfree());
    await expect(plugin.helper('check', { path: link })).resolves.toMatchObject({ path: link, mountPoint: '/proc', usedPercent: 0 });
  });

  it('says why a path cannot be checked', async () => {
    await using plugin = await testPlugin(diskfree());
    const missing = join(folder, 'missing');
    await expect(plugin.helper('check', { path: missing })).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: `${missing}: there is no such file or folder` });
    await expect(plugin.helper('check', { path: 'home' })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', details: { fields: { path: 'must be absolute: it begins with "/"' } } });
    await expect(plugin.helper('check', { path: '/\0' })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', details: { fields: { path: 'must not contain a null character' } } });
    await expect(plugin.helper('check', { limit: 0 })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', details: { fields: { path: 'is required', limit: 'must be at least 1, not 0' } } });
  });

  it('shows a disk that hangs as one, beside the others', async () => {
    const mountTable = join(folder, 'mounts');
    await writeFile(mountTable, '/dev/a / ext4 rw 0 0\n/dev/b /hang ext4 rw 0 0\nnas:/c /net nfs4 rw 0 0\n');
    const asker = new DiskAsker({ program: hanging, timeoutMs: 1000 });
    await using plugin = await testPlugin(diskfree(new Disks({ mountTable, asker })));
    await expect(plugin.helper('list')).resolves.toEqual([
      { mountPoint: '/', device: '/dev/a', fileSystem: 'ext4', size: 100, used: 40, free: 50, usedPercent: 45 },
      { mountPoint: '/hang', device: '/dev/b', fileSystem: 'ext4', problem: 'the disk does not answer' },
    ]);
    await expect(plugin.helper('check', { path: '/hang/in' })).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: '/hang/in: the disk does not answer' });
  });

  it('says on a system without a mount table that it does not work there', async () => {
    const mountTable = join(folder, 'missing');
    await using plugin = await testPlugin(diskfree(new Disks({ mountTable })));
    const reason = `the mount table ${mountTable} cannot be read; diskfree works on Linux`;
    expect(plugin.state()).toEqual({ ready: false, reason });
    await expect(plugin.helper('list')).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: reason });
  });
});
