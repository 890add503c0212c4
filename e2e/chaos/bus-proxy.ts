// A TCP proxy before the broker, so that connections can be reset under those who use it.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class BusProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Passes everything on to this port of the machine itself. */
  static async start(brokerPort: number): Promise<BusProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return new BusProxy(server, typeof address === 'object' && address !== null ? address.port : 0, brokerPort);
  }

  private constructor(server: Server, port: number, brokerPort: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (near) => {
      const far = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on('error', () => {});
        one.once('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  /** RST to both ends of every connection; how many ends there were. */
  reset(): number {
    const all = [...this.#sockets];
    for (const socket of all) socket.resetAndDestroy();
    return all.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/**
 * A port that is free now, below those that the kernel gives to connections: a broker that is down for a moment must not find its
 * port taken by somebody's outgoing connection.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      return port;
    } catch {
      // Taken.
    } finally {
      server.close();
    }
  }
}
