// A real broker on a free port, and a worker that keeps configuration as dbmanager does.
import { configGet } from '@majordomus/contracts';
import { Broker, Client, Handlers, Worker } from '@majordomus/mq';
import type { Values } from '../src/define-plugin.ts';

/** Whoever asks for a plugin that has said that it is ready may be heard before its READY, which is on its way. */
const discoveryGraceMs = 1000;

export class Bus implements AsyncDisposable {
  readonly endpoint: string;
  readonly client: Client;
  /** What is set, by `host.plugin`. */
  readonly set = new Map<string, Values>();
  readonly #broker: Broker;
  readonly #dbmanager: Worker;

  private constructor(broker: Broker) {
    this.#broker = broker;
    this.endpoint = broker.endpoint;
    this.client = new Client({ endpoint: broker.endpoint });
    const handlers = new Handlers().on(configGet, ({ host, plugin }) => ({ host, plugin, data: { ...this.set.get(`${host}.${plugin}`) }, defaults: [] }));
    this.#dbmanager = new Worker({ endpoint: broker.endpoint, service: 'dbmanager', handlers, capacity: 16 });
  }

  static async start(): Promise<Bus> {
    return new Bus(await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', limits: { discoveryGraceMs } }));
  }

  startDbmanager(): void {
    this.#dbmanager.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dbmanager.stop();
    await this.client.close();
    await this.#broker.close();
  }
}
