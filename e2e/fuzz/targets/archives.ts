// Archives into the reader of archives, as packagemanager has it: what is refused is refused before anything of it is written, and
// what is unpacked holds files and folders only, below its folder (docs/packages.md, "What is refused").
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pluginInstall } from '@majordomus/contracts';
import { codesOf } from '../judges.ts';
import type { Memory } from '../memory.ts';
import { changed, placesIn } from '../outside.ts';
import { judgeRead, Reader } from '../reader.ts';
import type { Site } from '../site.ts';
import { archives as generated } from '../tars.ts';
import { Finding, target, type Subject } from '../target.ts';

const program = fileURLToPath(new URL('../../../apps/packagemanager/test/reader.ts', import.meta.url));
/** More than the reader of the fuzz unpacks. */
const maxBytes = 2 * 1024 * 1024;

export const archives = target<Buffer>({
  name: 'archives',
  about: 'archives into the reader of packagemanager: links, ways out, devices, bombs, garbage',
  batchSize: 250,
  testInputs: 1000,
  input: generated('/nowhere/decoys'),
  show: (bytes) => `${bytes.length} bytes, as base64: ${bytes.length > 3000 ? `${bytes.subarray(0, 3000).toString('base64')}…` : bytes.toString('base64')}`,
  open: (site) => Promise.resolve(new Archives(site)),
});

class Archives implements Subject<Buffer> {
  readonly #site: Site;
  readonly #reader: Reader;

  constructor(site: Site) {
    this.#site = site;
    this.#reader = new Reader(site, program);
  }

  async feed(inputs: readonly Buffer[]): Promise<void> {
    const { home: { root, folder: home }, inputs: place, settles } = this.#site;
    const files = inputs.map((bytes, index) => {
      const file = join(place, `${index}.tgz`);
      writeFileSync(file, bytes);
      return { archive: file, folder: join(root, 'unpacked', String(index)) };
    });
    const outside = (): ReadonlyMap<string, string> => placesIn(root, [home, settles, join(root, 'unpacked')]);
    const before = outside();
    const read = await this.#reader.read(files.map((line) => JSON.stringify(line)));
    for (const [index, { folder }] of files.entries()) {
      const result = read[index] ?? { ok: false };
      judgeRead(result, codesOf(pluginInstall), () => archives.show(inputs[index]));
      judgeFolder(folder, result.ok, () => archives.show(inputs[index]));
    }
    const problem = changed(before, outside());
    if (problem !== undefined) throw new Finding(problem);
    const strangers = readdirSync(join(root, 'unpacked')).filter((name) => !/^\d+$/.test(name));
    if (strangers.length > 0) throw new Finding(`beside the folders that archives are unpacked into there is ${strangers.join(', ')}`);
    rmSync(join(root, 'unpacked'), { recursive: true });
  }

  async memory(): Promise<readonly Memory[]> {
    return await this.#reader.memory('the reader of archives');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }
}

/** @throws Finding if there is anything that must not be */
function judgeFolder(folder: string, isUnpacked: boolean, what: () => string): void {
  const names = readdirSync(folder, { recursive: true }).map(String);
  if (!isUnpacked && names.length > 0) throw new Finding(`a refused archive has left ${names.join(', ')}\n  ${what()}`);
  let bytes = 0;
  for (const name of names) {
    const stat = lstatSync(join(folder, name));
    if (!stat.isFile() && !stat.isDirectory()) throw new Finding(`${name} is neither a file nor a folder\n  ${what()}`);
    if ((stat.mode & 0o7000) !== 0) throw new Finding(`${name} has the mode ${stat.mode.toString(8)}\n  ${what()}`);
    if (stat.isFile()) bytes += stat.size;
  }
  if (bytes > maxBytes) throw new Finding(`${bytes} bytes were unpacked, and ${maxBytes} are allowed\n  ${what()}`);
}
