// What an archive may hold (docs/packages.md, "What is refused"). Pure: given the entries one after another, it refuses the
// first that is not allowed, and names it. Nothing is written before all of them have been judged.
import { pluginInstall, refuse, type ActionFailure } from '@majordomus/contracts';
import type { CopyLimits } from './package-copy.ts';

/** What the archive says of one of its entries. */
export interface ArchiveEntry {
  readonly path: string;
  /** As tar names it: File, Directory, SymbolicLink, … */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

const fileTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const folderTypes: ReadonlySet<string> = new Set(['Directory', 'GNUDumpDir']);
const otherTypes: Readonly<Record<string, string>> = {
  SymbolicLink: 'a symbolic link', Link: 'a hard link', CharacterDevice: 'a device', BlockDevice: 'a device', FIFO: 'a named pipe',
};
const howToPack = 'an archive has one folder at its top: make it with npm pack, or from beside the folder of the plugin with: tar -czf NAME.tgz FOLDER';
const maxPathBytes = 1024;
/** What the file systems of Linux take for one name. */
const maxNameBytes = 255;
const maxDepth = 64;

/** Judges an archive: everything below one folder, as npm and GitHub pack it, and regular files and folders only. */
export class ArchiveRules {
  readonly #limits: CopyLimits;
  readonly #kinds = new Map<string, 'file' | 'folder'>();
  #root: string | undefined;
  #entries = 0;
  #bytes = 0;

  constructor(limits: CopyLimits) {
    this.#limits = limits;
  }

  /** The next entry. @throws ActionFailure PACKAGE_REFUSED */
  add({ path, type, size }: ArchiveEntry): void {
    const kind = fileTypes.has(type) ? 'file' : folderTypes.has(type) ? 'folder' : undefined;
    if (kind === undefined) throw refused(path, `is ${otherTypes[type] ?? `a ${type}`}; a package holds regular files and folders only`);
    const [root = '', ...inside] = partsOf(path);
    const isTop = root === '' && kind === 'folder';
    if (!isTop) this.#root ??= root;
    if (!isTop && root !== this.#root) throw refused(path, `is not in the folder ${JSON.stringify(this.#root)} as the rest; ${howToPack}`);
    if (kind === 'file' && inside.length === 0) throw refused(path, `is at its top, in no folder; ${howToPack}`);
    checkPlace(path, inside);
    this.#note(path, inside, kind);
    this.#entries += 1;
    this.#bytes += size;
    if (this.#entries > this.#limits.entries) throw tooMuch(`holds more than ${this.#limits.entries} files and folders`);
    if (this.#bytes > this.#limits.bytes) throw tooMuch(`is larger than ${Math.floor(this.#limits.bytes / 1024 / 1024)} MiB when it is unpacked`);
  }

  /** There are no more entries. @throws ActionFailure ARCHIVE_INVALID */
  end(): void {
    if (this.#kinds.size === 0) throw refuse(pluginInstall, 'ARCHIVE_INVALID', 'the archive is empty; pack the folder of the plugin, as npm pack does');
  }

  /** No file twice, and no file where there must be a folder: the later one would replace the earlier in silence. */
  #note(path: string, inside: readonly string[], kind: 'file' | 'folder'): void {
    for (let depth = 1; depth < inside.length; depth += 1) {
      const above = inside.slice(0, depth).join('/');
      if (this.#kinds.get(above) === 'file') throw refused(path, `is in ${JSON.stringify(above)}, which is a file in this archive`);
      this.#kinds.set(above, 'folder');
    }
    if (inside.length === 0) return;
    const place = inside.join('/');
    const there = this.#kinds.get(place);
    if (there !== undefined && (there === 'file' || kind === 'file')) throw refused(path, 'is in the archive twice');
    this.#kinds.set(place, kind);
  }
}

/** The names on the way to an entry. */
function partsOf(path: string): readonly string[] {
  if (path.startsWith('/')) throw refused(path, 'is an absolute path');
  if (path.includes('\0') || path.includes('\\')) throw refused(path, 'has a character in its path that no package needs');
  if (Buffer.byteLength(path) > maxPathBytes) throw refused(path, `has a path of more than ${maxPathBytes} bytes`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refused(path, 'is a path that leaves the package');
  if (parts.some((part) => Buffer.byteLength(part) > maxNameBytes)) throw refused(path, `has a name of more than ${maxNameBytes} bytes; give it a shorter one`);
  if (parts.length > maxDepth) throw refused(path, `is more than ${maxDepth} folders deep`);
  return parts;
}

/** What no package brings along, wherever it comes from. */
function checkPlace(path: string, inside: readonly string[]): void {
  const [top] = inside;
  if (top === '.git') throw refused(path, 'is the history of the package; leave .git out');
  if (top === 'node_modules' && inside[1] !== '@majordomus') {
    throw refused(path, 'is a dependency; name it in package.json and leave node_modules out, for it is installed here');
  }
  const scope = inside.indexOf('@majordomus');
  if (scope > 0 && inside[scope - 1] === 'node_modules') throw refused(path, 'is a kit of its own; the house shares its kit with every plugin, so leave it out');
}

function refused(path: string, reason: string): ActionFailure {
  const told = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return refuse(pluginInstall, 'PACKAGE_REFUSED', `${JSON.stringify(told)} of the archive ${reason}`);
}

function tooMuch(reason: string): ActionFailure {
  return refuse(pluginInstall, 'PACKAGE_REFUSED', `the archive ${reason}; leave out what the plugin does not need to run`);
}
