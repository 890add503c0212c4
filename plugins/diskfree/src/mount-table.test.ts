import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDisk, isInside, mountOf, parseMountTable, withoutBindMounts, type Mount } from './mount-table.ts';

/** A table as a small server at home has it. */
const table = `sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
udev /dev devtmpfs rw,nosuid,relatime,size=3950112k,nr_inodes=987528,mode=755 0 0
tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=797432k,mode=755 0 0
/dev/mmcblk0p2 / ext4 rw,noatime 0 0
/dev/mmcblk0p1 /boot/firmware vfat rw,relatime,fmask=0022 0 0
/dev/sda1 /srv/films\\040and\\011more ext4 rw,relatime 0 0
/dev/sda1 /srv/films ext4 rw,relatime 0 0
/dev/sdb1 /mnt/back\\134slash\\043 btrfs rw,relatime 0 0
systemd-1 /mnt/auto autofs rw,relatime,fd=60 0 0
nas:/music /mnt/auto nfs4 rw,relatime,vers=4.2 0 0
//nas/photos /mnt/photos cifs rw,relatime 0 0
igor@office:/home /mnt/office fuse.sshfs rw,nosuid,nodev 0 0
/dev/loop3 /snap/core/1 squashfs ro,nodev,relatime 0 0
/dev/sdc1 /media/stick fuseblk rw,nosuid,nodev 0 0
tank/data /tank zfs rw,xattr 0 0
overlay /var/lib/docker/overlay2/1/merged overlay rw,relatime,lowerdir=/a 0 0
`;

describe('the mount table', () => {
  it('is read with its octal escapes, and shows only what is seen on each mount point', () => {
    const mounts = parseMountTable(table);
    expect(mounts.map(({ mountPoint }) => mountPoint)).toEqual([
      '/sys', '/proc', '/dev', '/run', '/', '/boot/firmware', '/srv/films and\tmore', '/srv/films', '/mnt/back\\slash#', '/mnt/auto', '/mnt/photos',
      '/mnt/office', '/snap/core/1', '/media/stick', '/tank', '/var/lib/docker/overlay2/1/merged',
    ]);
    expect(mounts.find(({ mountPoint }) => mountPoint === '/mnt/auto')).toEqual({ device: 'nas:/music', mountPoint: '/mnt/auto', fileSystem: 'nfs4' });
  });

  it('gives the disks of the host, each once, by its shortest mount point', () => {
    const disks = withoutBindMounts(parseMountTable(table).filter(isDisk));
    expect(disks.map(({ mountPoint }) => mountPoint)).toEqual(['/', '/boot/firmware', '/srv/films', '/mnt/back\\slash#', '/media/stick', '/tank']);
  });

  it('takes what is on / for a disk, as an overlay in a container is', () => {
    expect(isDisk({ device: 'overlay', mountPoint: '/', fileSystem: 'overlay' })).toBe(true);
    expect(isDisk({ device: 'overlay', mountPoint: '/merged', fileSystem: 'overlay' })).toBe(false);
  });

  it('does not take two that only share a word for one', () => {
    const mounts = parseMountTable('tmpfs /run tmpfs rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n');
    expect(withoutBindMounts(mounts)).toEqual(mounts);
  });

  it.each([
    ['/', '/'],
    ['/etc/hosts', '/'],
    ['/srv/films', '/srv/films'],
    ['/srv/films/a', '/srv/films'],
    ['/srv/filmstar', '/'],
    ['/boot/firmware/x', '/boot/firmware'],
  ])('says what holds %s: %s', (path, mountPoint) => {
    expect(mountOf(parseMountTable(table), path)?.mountPoint).toBe(mountPoint);
  });

  it('holds nothing when it is empty', () => {
    expect(mountOf([], '/etc')).toBeUndefined();
  });

  it('gives back any mounts that were written into it', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
    const mount: fc.Arbitrary<Mount> = fc.record({ device: word, mountPoint: word.map((text) => `/${text}`), fileSystem: word });
    const escaped = (text: string): string => text.replaceAll(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
    fc.assert(
      fc.property(fc.uniqueArray(mount, { selector: ({ mountPoint }) => mountPoint }), (mounts) => {
        const text = mounts.map(({ device, mountPoint, fileSystem }) => `${escaped(device)} ${escaped(mountPoint)} ${escaped(fileSystem)} rw 0 0\n`).join('');
        expect(parseMountTable(text)).toEqual(mounts);
      }),
    );
  });

  it('reads any garbage as mounts with an absolute mount point, or as none', () => {
    const garbage = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('/dev/sda1', '/', '/a', ' ', '\n', '\\040', '\\000', '\\777', '\\', 'ext4', '\0', '\t')).map((words) => words.join('')));
    fc.assert(
      fc.property(garbage, (text) => {
        const mounts = parseMountTable(text);
        for (const { mountPoint } of mounts) expect(mountPoint).toMatch(/^\/[^\0]*$/);
        expect(new Set(mounts.map(({ mountPoint }) => mountPoint)).size).toBe(mounts.length);
        const found = mountOf(mounts, '/a/b');
        expect(found === undefined || isInside('/a/b', found.mountPoint)).toBe(true);
        expect(withoutBindMounts(mounts).length).toBeLessThanOrEqual(mounts.length);
      }),
    );
  });
});
