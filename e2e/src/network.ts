// A network of two hosts on this machine: two network namespaces with a cable between them, and nothing else. A cable that
// is pulled loses what is sent without a word, unlike a connection that is closed. It needs Linux, `ip`, and root.
import { execFileSync } from 'node:child_process';
import { domusScript, startProgram, type Ran, type Started } from './domus.ts';

/** For documentation (RFC 5737), so nobody's. */
const addresses = ['192.0.2.1', '192.0.2.2'] as const;
const device = 'line0';
const commandLimitMs = 20_000;

let made = 0;

export interface NetworkHost {
  readonly address: string;
  readonly namespace: string;
}

export class Network implements AsyncDisposable {
  readonly hosts: readonly [NetworkHost, NetworkHost];
  readonly #removeAtExit = (): void => this.#remove();

  /** Why there can be none on this machine; undefined if there can. */
  static whyNot(): string | undefined {
    try {
      const name = nextName();
      ip('netns', 'add', name);
      ip('netns', 'del', name);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message.split('\n').slice(0, 2).join(': ') : String(error);
    }
  }

  constructor() {
    const [first, second] = addresses.map((address) => ({ address, namespace: nextName() }));
    if (first === undefined || second === undefined) throw new TypeError('two addresses make two hosts');
    this.hosts = [first, second];
    // Also when the tests are ended in the middle of one.
    process.once('exit', this.#removeAtExit);
    try {
      for (const { namespace } of this.hosts) ip('netns', 'add', namespace);
      ip('-n', first.namespace, 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', second.namespace);
      for (const { namespace, address } of this.hosts) {
        ip('-n', namespace, 'link', 'set', 'lo', 'up');
        ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', device);
        ip('-n', namespace, 'link', 'set', device, 'up');
      }
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  /** Pulls the cable out of a host, or plugs it in again. */
  cable(host: NetworkHost, isIn: boolean): void {
    ip('-n', host.namespace, 'link', 'set', device, isIn ? 'up' : 'down');
  }

  /** Starts `domus` on a host. */
  start({ namespace }: NetworkHost, ...args: readonly string[]): Started {
    return startProgram('ip', ['netns', 'exec', namespace, domusScript, ...args]);
  }

  /** Runs `domus` on a host to its end. */
  async run(host: NetworkHost, ...args: readonly string[]): Promise<Ran> {
    const started = this.start(host, ...args);
    started.child.stdin?.end();
    const limit = setTimeout(() => started.child.kill('SIGKILL'), commandLimitMs);
    try {
      return await started.ended;
    } finally {
      clearTimeout(limit);
    }
  }

  /** What still runs in it keeps its network until it ends, without a name. */
  [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#removeAtExit);
    this.#remove();
    return Promise.resolve();
  }

  #remove(): void {
    for (const { namespace } of this.hosts) {
      try {
        ip('netns', 'del', namespace);
      } catch {
        // It was never made.
      }
    }
  }
}

/** No other process of the tests makes it. */
function nextName(): string {
  made += 1;
  return `majordomus-${process.pid}-${made}`;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
