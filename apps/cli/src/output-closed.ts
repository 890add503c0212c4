// Whether anybody still reads standard output: in `domus logs -f | head -n 1` the reader goes, and there may be nothing to write
// for hours that would tell. Node cannot ask a pipe; tail of GNU can, which watches its own standard output while it follows.
// Where there is another tail, the next line tells.
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

/** Fires when standard output is a pipe that nobody reads any more, within about a second. */
export function outputClosed(): AbortSignal {
  const closed = new AbortController();
  if (!fstatSync(process.stdout.fd).isFIFO()) return closed.signal;
  // By --pid it ends with this process, however that ends: as a writer it would keep the pipe open.
  const watcher = spawn('tail', [`--pid=${process.pid}`, '-f', '/dev/null'], { stdio: ['ignore', 'inherit', 'ignore'] });
  watcher.unref();
  watcher.on('error', () => {});
  watcher.on('exit', (_code, signal) => {
    if (signal === 'SIGPIPE') closed.abort();
  });
  process.once('exit', () => watcher.kill());
  return closed.signal;
}
