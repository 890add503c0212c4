// Preloaded into processes that are fuzzed: collects the garbage when SIGUSR2 asks for it, and writes how much is held then.
// A process says by a file that it can; nothing is done without FUZZ_SETTLE_FOLDER.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { heldBytes } from './held.ts';

const folder = process.env['FUZZ_SETTLE_FOLDER'];
if (folder !== undefined && isMainThread) {
  process.on('SIGUSR2', () => {
    const held = heldBytes();
    const file = join(folder, `${process.pid}.held`);
    writeFileSync(`${file}.new`, String(held));
    renameSync(`${file}.new`, file);
  });
  writeFileSync(join(folder, `${process.pid}.settles`), '');
}
