// What the running house knows, for completion: asked within a short bound, and never an error. Where no house runs, or it
// does not answer in time, there is nothing to offer.
import {
  configGet, configHistory, configList, helperHelp, helperList, hostService, noticeList, partList, pluginList, schemaGet,
  type ConfigurationItems, type Contract, type InputOf, type JsonValue, type OutputOf, type PartStatus, type PluginStatus,
} from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import { hostsOf } from '../hosts.ts';
import { type CliSettings, readCliSettings } from '../session.ts';

/** All questions of one completion together: a person who presses Tab does not wait. DOMUS_COMPLETION_MS is for slow machines. */
const limitMs = Number(process.env['DOMUS_COMPLETION_MS']) || 300;

export class HouseView implements AsyncDisposable {
  readonly #settings: CliSettings | undefined;
  readonly #signal = AbortSignal.timeout(limitMs);
  #client: Client | undefined;

  /** The house that the options name, or that runs on the home. */
  constructor(options: Readonly<Record<string, string>>) {
    this.#settings = settingsOf(options);
  }

  /** The host that commands mean by themselves. */
  get host(): string | undefined {
    return this.#settings?.host;
  }

  async services(): Promise<readonly string[]> {
    const list = await this.#ask((client, options) => client.manage('mmi.services', '', options));
    return (list ?? '').split(', ').filter((name) => name !== '');
  }

  /** All hosts of the house, those that are away included. */
  async hosts(): Promise<readonly string[]> {
    return ((await this.#ask((client, options) => hostsOf(client, options))) ?? []).map(({ host }) => host);
  }

  async plugins(): Promise<readonly PluginStatus[]> {
    return (await this.#call(pluginList, {}, this.#own('manager')))?.plugins ?? [];
  }

  async parts(): Promise<readonly PartStatus[]> {
    return (await this.#call(partList, {}, this.#own('house')))?.parts ?? [];
  }

  /** The plugins and hosts that have any configuration. */
  async configured(): Promise<OutputOf<typeof configList>['configurations']> {
    return (await this.#call(configList, {}))?.configurations ?? [];
  }

  /** What the house tells until somebody has seen it. */
  async notices(): Promise<OutputOf<typeof noticeList>['notices']> {
    return (await this.#call(noticeList, {}))?.notices ?? [];
  }

  /** What a plugin can be told. */
  async items(plugin: string): Promise<ConfigurationItems> {
    return (await this.#call(schemaGet, { plugin }))?.items ?? {};
  }

  /** What a plugin was told, defaults included. */
  async values(plugin: string): Promise<Readonly<Record<string, JsonValue>>> {
    const reply = await this.#call(configGet, { host: this.host ?? '', plugin });
    return reply !== undefined && 'data' in reply ? reply.data : {};
  }

  /** What was changed of a plugin's configuration lately, the newest first. */
  async changes(plugin: string): Promise<OutputOf<typeof configHistory>['changes']> {
    return (await this.#call(configHistory, { host: this.host ?? '', plugin, limit: 20 }))?.changes ?? [];
  }

  /** The commands of a plugin. */
  async commands(service: string): Promise<readonly string[]> {
    return (await this.#call(helperList, {}, service))?.actions ?? [];
  }

  /** The parameters of a command of a plugin. */
  async parameters(service: string, command: string): Promise<ConfigurationItems> {
    return (await this.#call(helperHelp, { command }, service))?.parameters ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }

  #own(part: string): string {
    return hostService(this.host ?? '', part);
  }

  async #call<C extends Contract>(contract: C, data: InputOf<C>, service?: string): Promise<OutputOf<C> | undefined> {
    return await this.#ask((client, options) => client.call(contract, data, { ...options, ...(service !== undefined && { service }) }));
  }

  async #ask<T>(question: (client: Client, options: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<T>): Promise<T | undefined> {
    if (this.#settings === undefined) return undefined;
    this.#client ??= new Client({ endpoint: this.#settings.broker });
    try {
      return await question(this.#client, { timeoutMs: limitMs, signal: this.#signal });
    } catch {
      // Whatever it was, a completion offers nothing more; the command itself will say why.
      return undefined;
    }
  }
}

function settingsOf(options: Readonly<Record<string, string>>): CliSettings | undefined {
  try {
    return readCliSettings(options);
  } catch {
    return undefined;
  }
}
