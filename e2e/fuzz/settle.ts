// Preloaded into processes that are fuzzed: collects the garbage when SIGUSR2 asks for it, and writes how much is held then.
// A process says by a file that it can; nothing is done without FUZZ_SETTLE_FOLDER.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['FUZZ_SETTLE_FOLDER'];
if (folder !== undefined && isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    const file = join(folder, `${process.pid}.held`);
    writeFileSync(`${file}.new`, String(heapUsed + external));
    renameSync(`${file}.new`, file);
  });
  writeFileSync(join(folder, `${process.pid}.settles`), '');
}
