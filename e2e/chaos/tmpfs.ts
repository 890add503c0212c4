// A small disk of its own for a house, in memory, which can be full (as root on Linux).
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sizeMiB = 48;

export class Tmpfs implements Disposable {
  readonly folder: string;
  readonly #ballast: string;
  readonly #unmountAtExit = (): void => this[Symbol.dispose]();
  #mounted = true;

  static canMount(): boolean {
    using mounted = Tmpfs.mount();
    return mounted !== undefined;
  }

  /** Undefined where this user may not mount. */
  static mount(): Tmpfs | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'majordomus-disk-'));
    if (process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder]).status === 0) return new Tmpfs(folder);
    rmdirSync(folder);
    return undefined;
  }

  private constructor(folder: string) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
    process.once('exit', this.#unmountAtExit);
  }

  /** Writes until nothing more fits, not even a byte. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (const bytes of [1 << 20, 4096, 1]) {
        const block = Buffer.alloc(bytes);
        try {
          for (;;) writeSync(file, block);
        } catch {
          // ENOSPC
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Whatever still uses it keeps it until it ends. */
  [Symbol.dispose](): void {
    if (!this.#mounted) return;
    this.#mounted = false;
    process.off('exit', this.#unmountAtExit);
    spawnSync('umount', ['--lazy', this.folder]);
    rmdirSync(this.folder);
  }
}
