// A plugin of this host as a process, as far as its manager tells and does. Without a manager no plugin runs.
import { hostService, pluginLog, pluginRestart, pluginStatusGet, type PluginStatus, type ResultOf } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';

const askTimeoutMs = 5000;
/** A plugin may take the supervisor's whole bound to say that it is ready, after one to end. */
const restartTimeoutMs = 20_000;
/** As many as `plugin.log` gives. */
const mostLines = 1000;

export class PluginProcesses {
  readonly #client: Pick<Client, 'call'>;
  readonly #host: string;
  readonly #service: string;

  constructor({ client, host }: { readonly client: Pick<Client, 'call'>; readonly host: string }) {
    this.#client = client;
    this.#host = host;
    this.#service = hostService(host, 'manager');
  }

  /** How it is; undefined if there is no manager, or none that knows it. @throws CallError */
  async status(name: string, signal: AbortSignal): Promise<PluginStatus | undefined> {
    try {
      return (await this.#client.call(pluginStatusGet, { id: hostService(this.#host, name) }, { service: this.#service, timeoutMs: askTimeoutMs, signal })).plugin;
    } catch (error) {
      if (error instanceof CallError && (error.code === 'SERVICE_UNKNOWN' || error.code === 'PLUGIN_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** Ends it, and starts the version that is installed; answered when it is known what came of it. @throws CallError */
  async restart(name: string, signal: AbortSignal): Promise<ResultOf<typeof pluginRestart>> {
    return await this.#client.call(pluginRestart, { id: hostService(this.#host, name) }, { service: this.#service, timeoutMs: restartTimeoutMs, signal });
  }

  /** Where its log ends now; undefined if nobody tells. */
  async logEnd(name: string, signal: AbortSignal): Promise<number | undefined> {
    return (await this.#log(name, { lines: 1 }, signal))?.next;
  }

  /** What it printed since then, as far back as the manager gives it. */
  async logSince(name: string, after: number | undefined, signal: AbortSignal): Promise<readonly string[]> {
    return (await this.#log(name, { lines: mostLines, ...(after !== undefined && { after }) }, signal))?.lines ?? [];
  }

  async #log(name: string, request: { readonly lines: number; readonly after?: number }, signal: AbortSignal): Promise<ResultOf<typeof pluginLog> | undefined> {
    try {
      return await this.#client.call(pluginLog, { id: hostService(this.#host, name), ...request }, { service: this.#service, timeoutMs: askTimeoutMs, signal });
    } catch (error) {
      // The log is told where there is one; nothing depends on it.
      if (error instanceof CallError && !signal.aborted) return undefined;
      throw error;
    }
  }
}
