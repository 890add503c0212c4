// The line between two hosts, as a plain TCP forwarder: the way of a tunnel (ssh -L), and a line that a test can cut.
import { createServer, connect, type Server, type Socket } from 'node:net';

export class Line implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: string | undefined;
  #isCut = false;

  /** A line to a broker at `tcp://…`; without one its other end is not there yet. */
  static async to(target?: string): Promise<Line> {
    const line = new Line(target);
    await new Promise<void>((resolve) => void line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  private constructor(target: string | undefined) {
    this.#target = target;
    this.#server = createServer((near) => this.#forward(near));
  }

  /** Where it begins. */
  get endpoint(): string {
    const address = this.#server.address();
    return `tcp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Leads elsewhere from now on. */
  lead(target: string): void {
    this.#target = target;
  }

  /** Resets every connection, and each that comes. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #forward(near: Socket): void {
    this.#keep(near);
    if (this.#isCut || this.#target === undefined) return void near.resetAndDestroy();
    const { hostname, port } = new URL(this.#target.replace('tcp:', 'http:'));
    const far = connect(Number(port), hostname);
    this.#keep(far);
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true).on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }
}
