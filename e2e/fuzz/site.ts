// Where a target is fuzzed: a folder of its own, and a whole house in it when one is asked for, with decoys beside the home that
// must stay as they are.
import { accessSync, constants, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../src/domus.ts';
import { Home } from '../src/home.ts';
import { FuzzHouse } from './fuzz-house.ts';

/** Files in memory, where there is enough of it: what is fuzzed here is not the disk. */
function quickFolder(): string {
  const folder = '/dev/shm';
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > enoughBytes ? folder : tmpdir();
  } catch {
    return tmpdir();
  }
}

const enoughBytes = 2 ** 30;

export class Site implements AsyncDisposable {
  readonly home = new Home(checkout, quickFolder());
  /** Where inputs that are files are put. */
  readonly inputs = this.home.newFolder('inputs');
  /** Where processes write how much they hold. */
  readonly settles = this.home.newFolder('settles');
  #house: Promise<FuzzHouse> | undefined;

  constructor() {
    const decoys = this.home.newFolder('decoys');
    mkdirSync(join(decoys, 'folder'));
    for (const file of ['plugin.json', 'folder/passwd']) writeFileSync(join(decoys, file), `${file}: nobody writes here\n`);
  }

  /** The house of this site, started when it is first asked for. */
  house(): Promise<FuzzHouse> {
    this.#house ??= FuzzHouse.start(this);
    return this.#house;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const house = await this.#house?.catch(() => undefined);
    await house?.[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
  }
}
