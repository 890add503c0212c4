// What is mounted where: the form of /proc/self/mounts (fstab(5), proc_pid_mounts(5)), and the file systems in it that
// are a disk of this host. Pure: it reads no file and asks no disk.

export interface Mount {
  /** What is mounted: `/dev/sda1`, `nas:/export`, or any word for what is no device. */
  readonly device: string;
  readonly mountPoint: string;
  /** The type: `ext4`, `nfs4`, `proc`. */
  readonly fileSystem: string;
}

/** Network file systems: they can hang, and are another host's disks. Every `fuse.…` counts as one: sshfs, rclone. */
const networkTypes: ReadonlySet<string> = new Set([
  '9p', 'afs', 'beegfs', 'ceph', 'cifs', 'coda', 'davfs', 'fuse', 'gfs2', 'glusterfs', 'lustre', 'ncpfs', 'nfs', 'nfs4', 'ocfs2', 'orangefs',
  'smb3', 'smbfs', 'virtiofs', 'vboxsf',
]);

/** What is no disk: the kernel's own, memory, layers over another file system, and images that are always full. */
const pseudoTypes: ReadonlySet<string> = new Set([
  'aufs', 'autofs', 'binder', 'binfmt_misc', 'bpf', 'cgroup', 'cgroup2', 'configfs', 'cramfs', 'debugfs', 'devpts', 'devtmpfs', 'ecryptfs', 'efivarfs',
  'erofs', 'fusectl', 'hugetlbfs', 'iso9660', 'mqueue', 'nfsd', 'none', 'nsfs', 'overlay', 'proc', 'pstore', 'ramfs', 'resctrl', 'rootfs', 'rpc_pipefs',
  'securityfs', 'selinuxfs', 'smackfs', 'squashfs', 'sysfs', 'tmpfs', 'tracefs',
]);

/** Reads the table. Of what is mounted over another on one mount point only the last is seen, so only it is given. */
export function parseMountTable(text: string): Mount[] {
  const byMountPoint = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device, mountPoint, fileSystem] = line.split(' ').map(unescaped);
    if (device === undefined || mountPoint === undefined || !mountPoint.startsWith('/') || mountPoint.includes('\0') || fileSystem === undefined) continue;
    // Deleted first, so that it takes the place of the later mount.
    byMountPoint.delete(mountPoint);
    byMountPoint.set(mountPoint, { device, mountPoint, fileSystem });
  }
  return [...byMountPoint.values()];
}

/** A space, tab, newline, backslash or `#` in a name stands in the table as its octal number: `\040`. */
function unescaped(word: string): string {
  return word.replaceAll(/\\([01][0-7]{2})/g, (_whole, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}

/** Whether it is a disk of this host. What is mounted on `/` always is one: in a container an overlay holds its files. */
export function isDisk({ mountPoint, fileSystem }: Mount): boolean {
  if (mountPoint === '/') return true;
  return !networkTypes.has(fileSystem) && !fileSystem.startsWith('fuse.') && !pseudoTypes.has(fileSystem);
}

/** One mount for each device, the one with the shortest mount point: the others are bind mounts or subvolumes of it. */
export function withoutBindMounts(mounts: readonly Mount[]): Mount[] {
  const shortest = new Map<string, Mount>();
  for (const mount of mounts) {
    const { device, mountPoint } = mount;
    const other = shortest.get(device);
    if (isDevice(device) && (other === undefined || mountPoint.length < other.mountPoint.length)) shortest.set(device, mount);
  }
  return mounts.filter((mount) => !isDevice(mount.device) || shortest.get(mount.device) === mount);
}

/** Two that are called `tmpfs` are two; two of `/dev/sda1` or `//nas/music` are one. */
function isDevice(device: string): boolean {
  return device.startsWith('/');
}

/** The mount that holds an absolute path without `..` and links. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let deepest: Mount | undefined;
  for (const mount of mounts) {
    if (isInside(path, mount.mountPoint) && mount.mountPoint.length > (deepest?.mountPoint.length ?? 0)) deepest = mount;
  }
  return deepest;
}

/** Whether a path is the folder or something in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
