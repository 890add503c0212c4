// A line that passes so many bytes a second, each way and for each connection: a plain TCP forwarder before the broker.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const stepMs = 50;

export class SlowLine implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  readonly #ways: { readonly from: Socket; readonly to: Socket; left: number }[] = [];

  /** A line to a broker at `tcp://…`; after so many bytes, each way of each connection, nothing passes any more. */
  static async to(target: string, bytesPerSecond: number, stallsAfterBytes = Infinity): Promise<SlowLine> {
    const line = new SlowLine(Number(new URL(target).port), bytesPerSecond, stallsAfterBytes);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  private constructor(port: number, bytesPerSecond: number, stallsAfterBytes: number) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port, host: '127.0.0.1', noDelay: true });
      for (const [from, to] of [[near, far], [far, near]] as const) {
        this.#sockets.add(from);
        this.#ways.push({ from, to, left: stallsAfterBytes });
        from.on('error', () => {}).once('end', () => to.end()).once('close', () => to.destroy());
      }
    });
    const stepBytes = Math.round(bytesPerSecond * stepMs / 1000);
    this.#timer = setInterval(() => {
      for (const way of this.#ways) {
        if (way.left <= 0) continue;
        const bytes = (way.from.read(stepBytes) ?? way.from.read()) as Buffer | null;
        if (bytes === null) continue;
        way.left -= bytes.length;
        if (way.to.writable) way.to.write(bytes);
      }
    }, stepMs);
  }

  /** Where it begins. */
  get endpoint(): string {
    const address = this.#server.address();
    return `tcp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
