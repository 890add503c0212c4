// Looks each second how much memory the processes of a supervisor hold, and tells each of them; what follows from it the process
// decides. It never throws and never overlaps itself.
import type { Log } from '@majordomus/runtime';
import { MemoryTable } from './memory-table.ts';
import type { SupervisedProcess } from './supervised-process.ts';

const intervalMs = 1000;

export class MemoryWatch implements Disposable {
  readonly #processes: () => Iterable<SupervisedProcess>;
  readonly #log: Log;
  readonly #table = new MemoryTable();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  constructor(processes: () => Iterable<SupervisedProcess>, log: Log) {
    this.#processes = processes;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), intervalMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const running = [...this.#processes()].flatMap((process) => {
      const owner = process.memoryOwner;
      return owner === undefined ? [] : [{ process, owner }];
    });
    if (running.length === 0 || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const held = await this.#table.heldBytes(new Map(running.map(({ owner }) => [owner.pid, owner])));
      for (const { process, owner: { pid } } of running) {
        const bytes = held.get(pid);
        // Another may run by now.
        if (bytes !== undefined && process.status.pid === pid) process.holds(bytes);
      }
    } catch (error) {
      this.#log.error({ err: error }, 'the memory of the processes could not be looked at');
    } finally {
      this.#isLooking = false;
    }
  }
}
