// Archives for the tests: good ones packed from folders, and hostile ones made header by header, as no packer makes them.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, Header, Pax } from 'tar';
import { goodManifest } from './packages.ts';

const blockBytes = 512;

export interface RawEntry {
  readonly path: string;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'BlockDevice' | 'CharacterDevice' | 'FIFO';
  readonly content?: string | Uint8Array;
  readonly linkpath?: string;
  readonly mode?: number;
  /** What the header says, if that is not the truth. */
  readonly size?: number;
}

/** A tar with exactly these entries. */
export function rawTar(entries: readonly RawEntry[], { end = true } = {}): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', content = '', linkpath, mode = 0o644, size }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(blockBytes);
    const isLong = new Header({ path, type, mode, size: size ?? bytes.length, mtime: new Date(0), ...(linkpath !== undefined && { linkpath }) }).encode(header);
    return [isLong ? new Pax({ path }).encode() : Buffer.alloc(0), header, bytes, Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(end ? 2 * blockBytes : 0)]);
}

/** The entries of a plugin that could be installed. */
export function lampEntries(root = 'package'): RawEntry[] {
  return [
    { path: `${root}/plugin.json`, content: JSON.stringify(goodManifest) },
    { path: `${root}/src/main.ts`, content: 'export const greeting: string = "hello";\n' },
  ];
}

/** Writes a .tgz of these entries and returns its path. */
export async function writeTgz(file: string, entries: readonly RawEntry[]): Promise<string> {
  await writeFile(file, gzipSync(rawTar(entries)));
  return file;
}

/** Packs a folder as npm and GitHub do, with the folder around it, and returns the bytes. */
export async function pack(folder: string): Promise<Buffer> {
  const file = `${folder}.tgz`;
  await create({ file, cwd: dirname(folder), gzip: true, portable: true }, [basename(folder)]);
  return await readFile(file);
}
