// A disk so small that it can be filled, over a folder: Linux, as root.
import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '@majordomus/runtime';

/** Why there can be none here; undefined where there can. */
export const noSmallDisk = process.platform !== 'linux' ? 'a small disk needs Linux' : process.geteuid?.() === 0 ? undefined : 'a small disk needs root, who may mount one';

export interface SmallDisk extends Disposable {
  /** Takes all the room that is left, that for names too. */
  readonly fill: () => Promise<void>;
  /** Gives it back. */
  readonly clear: () => Promise<void>;
}

const chunk = Buffer.alloc(4096);

export function smallDisk(folder: string): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,nr_inodes=250', 'majordomus-test', folder]);
  const filler = (name: number): string => join(folder, `.filler-${name}`);
  let fillers = 0;
  return {
    fill: async () => {
      try {
        await writeFile(filler(fillers++), Buffer.alloc(8 * 1024 * 1024));
      } catch (error) {
        if (!isSystemError(error, 'ENOSPC')) throw error;
      }
      for (;;) {
        try {
          await writeFile(filler(fillers++), chunk);
        } catch (error) {
          if (!isSystemError(error, 'ENOSPC')) throw error;
          // Without room for a byte there may be some for names.
          try {
            await writeFile(filler(fillers++), '');
          } catch (last) {
            if (isSystemError(last, 'ENOSPC')) return;
            throw last;
          }
        }
      }
    },
    clear: async () => {
      for (; fillers > 0; fillers -= 1) await rm(filler(fillers - 1), { force: true });
    },
    [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', folder]),
  };
}
