// Which plugins start by themselves with the house. It is kept in the configuration, so it survives everything that the
// configuration survives: key `autostart.<name>` of the plugin "manager" on this host.
import { autostartPrefix, configGet, configSet, hostService } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';

const owner = 'manager';
const timeoutMs = 3000;

export class Autostart {
  readonly #client: Client;
  readonly #host: string;
  #names: ReadonlySet<string> | undefined;

  constructor(client: Client, host: string) {
    this.#client = client;
    this.#host = host;
  }

  /** As it was when it was last read or written; false while dbmanager has not told it yet. */
  has(name: string): boolean {
    return this.#names?.has(name) === true;
  }

  /** Reads the names if they never were, as in a house that was told to start no plugins. Never rejects for want of dbmanager. */
  async know(): Promise<void> {
    if (this.#names !== undefined) return;
    try {
      await this.read();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  /** Reads the names from dbmanager. @throws CallError */
  async read(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const reply = await this.#client.call(configGet, { host: this.#host, plugin: owner }, { timeoutMs, ...(signal && { signal }) });
    const data = 'data' in reply ? reply.data : {};
    const names = new Set(Object.keys(data).filter((key) => key.startsWith(autostartPrefix) && data[key] === true).map((key) => key.slice(autostartPrefix.length)));
    this.#names = names;
    return names;
  }

  /** Writes it down. @throws CallError */
  async set(name: string, wanted: boolean): Promise<void> {
    await this.#client.call(configSet, { host: this.#host, plugin: owner, key: `${autostartPrefix}${name}`, value: wanted, by: hostService(this.#host, owner) }, { timeoutMs });
    // What was never read is not known by what is written.
    if (this.#names === undefined) return;
    const names = new Set(this.#names);
    if (wanted) names.add(name);
    else names.delete(name);
    this.#names = names;
  }
}
