// Makes another process of Node collect its garbage, so that what it holds can be told from what it has let go. It is asked over
// its inspector, which opens at SIGUSR1.
import { createInterface } from 'node:readline';
import { BenchFailure } from './failure.ts';
import type { Environment, RunningProgram } from './program.ts';

/** For the program that is to be asked; its standard error has to be piped. */
export const inspectable: Environment = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

export interface Collector extends Disposable {
  collect(): Promise<void>;
}

export async function openCollector({ pid, errors }: RunningProgram): Promise<Collector> {
  if (errors === null) throw new BenchFailure('PROGRAM_FAILED', 'the standard error of a program is to be piped, which says where its inspector is');
  const address = new Promise<string>((resolve) => {
    createInterface({ input: errors }).on('line', (line) => {
      const [found] = /ws:\S+/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await address);
  const failed = new Promise<never>((_resolve, reject) => {
    socket.addEventListener('close', () => reject(new BenchFailure('PROGRAM_FAILED', `the inspector of process ${pid} closed`)));
  });
  failed.catch(() => {});
  const next = (event: 'open' | 'message'): Promise<unknown> =>
    Promise.race([failed, new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }))]);
  await next('open');
  let id = 0;
  return {
    async collect() {
      const answered = next('message');
      socket.send(JSON.stringify({ id: ++id, method: 'HeapProfiler.collectGarbage' }));
      await answered;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
