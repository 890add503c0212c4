// The simulated bus behind a TCP gateway.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { SimulatorLine } from './simulator-line.ts';

export class SimulatorServer implements AsyncDisposable {
  readonly line: SimulatorLine;
  readonly port: number;
  /** HOST:PORT, as `device` of velbus takes it. */
  readonly address: string;
  readonly #server: Server;

  /** Port 0 for any. @throws what listen throws: EADDRINUSE */
  static async listen(line: SimulatorLine, { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {}): Promise<SimulatorServer> {
    const server = createServer({ noDelay: true }, (socket) => line.attach(socket));
    server.listen(port, host);
    await once(server, 'listening');
    return new SimulatorServer(line, server, server.address() as AddressInfo);
  }

  private constructor(line: SimulatorLine, server: Server, { address, family, port }: AddressInfo) {
    this.line = line;
    this.#server = server;
    this.port = port;
    this.address = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Ends all connections and listens no more. Twice does no harm. */
  async close(): Promise<void> {
    this.line.hangUp();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
