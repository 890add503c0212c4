// A program of the tests as a process of its own, which can be stopped, continued and killed by its pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { setTimeout as timePasses } from 'node:timers/promises';
import type { BrokerLimits } from '../src/index.ts';
import { Inbox } from './conformance/wire.ts';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child implements AsyncDisposable {
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #lines = new Inbox<string>();

  /** Starts `script`, a module beside this one. It is to end when its standard input closes. */
  constructor(script: URL, args: readonly string[]) {
    const child = spawn(process.execPath, [fileURLToPath(script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = child;
    createInterface(child.stdout).on('line', (line) => this.#lines.put(line));
    this.ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal }) as Ending);
  }

  /** The next line that it prints. One that prints none in time is killed: nobody may have a hold of it yet. */
  async line(withinMs?: number): Promise<string> {
    try {
      return await this.#lines.take('a line of the child process', withinMs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  closeInput(): void {
    this.#process.stdin?.end();
  }

  /** Stops it, and gives the system time to do so on all processors. */
  async suspend(): Promise<void> {
    this.#process.kill('SIGSTOP');
    await timePasses(100);
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

export interface ChildBroker extends AsyncDisposable {
  readonly child: Child;
  readonly endpoint: string;
}

/** A broker of ours in a process of its own, listening. */
export async function startBroker(endpoint = 'tcp://127.0.0.1:*', limits: Partial<BrokerLimits> = {}): Promise<ChildBroker> {
  const child = new Child(new URL('./programs/broker.ts', import.meta.url), [endpoint, JSON.stringify(limits)]);
  return { child, endpoint: await child.line(), [Symbol.asyncDispose]: () => child.kill() };
}

/** A worker of ours in a process of its own, registered for `echo`. It prints `ringing` when it holds a bell.ring, which it never answers. */
export async function startWorkerProcess(endpoint: string): Promise<Child> {
  const child = new Child(new URL('./programs/worker.ts', import.meta.url), [endpoint]);
  await child.line();
  return child;
}
