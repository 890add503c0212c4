// Which plugins start by themselves with the house. It is kept in the configuration, so it survives everything that the
// configuration survives: key `autostart.<name>` of the plugin "manager" on this host.
import { autostartPrefix, configGet, configSet, hostService } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';

const owner = 'manager';
const timeoutMs = 3000;
/** What is known already is told if the newest does not come in time. */
const newestTimeoutMs = 500;

export class Autostart {
  readonly #client: Client;
  readonly #host: string;
  #names: ReadonlySet<string> | undefined;

  constructor(client: Client, host: string) {
    this.#client = client;
    this.#host = host;
  }

  /** As they were when they were last read or written. */
  get names(): readonly string[] {
    return [...(this.#names ?? [])];
  }

  /** As it was when it was last read or written; false while dbmanager has not told it yet. */
  has(name: string): boolean {
    return this.#names?.has(name) === true;
  }

  /** Reads the names anew, for a person may have set them; what was known stays while dbmanager does not answer. */
  async refresh(): Promise<void> {
    try {
      await this.#read(this.#names === undefined ? timeoutMs : newestTimeoutMs);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  /** Reads the names from dbmanager. @throws CallError */
  async read(signal: AbortSignal): Promise<ReadonlySet<string>> {
    return await this.#read(timeoutMs, signal);
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

  async #read(limitMs: number, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const reply = await this.#client.call(configGet, { host: this.#host, plugin: owner }, { timeoutMs: limitMs, ...(signal && { signal }) });
    const data = 'data' in reply ? reply.data : {};
    const names = new Set(Object.keys(data).filter((key) => key.startsWith(autostartPrefix) && data[key] === true).map((key) => key.slice(autostartPrefix.length)));
    this.#names = names;
    return names;
  }
}
