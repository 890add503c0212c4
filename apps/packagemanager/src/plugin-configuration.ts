// The configuration of this host's plugins, as dbmanager has it: the schema that types the values, the values, and the number
// of the newest change, by which they are put back as they were.
import {
  configDelete, configGet, configHistory, configRevert, configSet, configurationProblems, missingKeys, schemaSet, valueProblem,
  type FieldProblems, type JsonValue, type Manifest,
} from '@majordomus/contracts';
import { PeerError, type Client } from '@majordomus/mq';

const timeoutMs = 5000;

export type Values = Readonly<Record<string, JsonValue>>;

/** The values of a plugin that are set, and those of them that are secret and not shown. */
export interface SetValues {
  readonly values: Values;
  readonly masked: ReadonlySet<string>;
}

/** Every method throws CallError if dbmanager does not answer or refuses. */
export class PluginConfiguration {
  readonly #client: Pick<Client, 'call'>;
  readonly #host: string;
  readonly #by: string;

  constructor({ client, host }: { readonly client: Pick<Client, 'call'>; readonly host: string }) {
    this.#client = client;
    this.#host = host;
    this.#by = `packagemanager@${host}`;
  }

  async setSchema({ name, version, configuration }: Manifest, signal: AbortSignal): Promise<void> {
    await this.#client.call(schemaSet, { plugin: name, version, items: configuration }, { timeoutMs, signal });
  }

  async values(plugin: string, signal: AbortSignal): Promise<SetValues> {
    const reply = await this.#client.call(configGet, { host: this.#host, plugin }, { timeoutMs, signal });
    if (!('data' in reply)) return { values: {}, masked: new Set() };
    const defaults = new Set(reply.defaults);
    return { values: Object.fromEntries(Object.entries(reply.data).filter(([key]) => !defaults.has(key))), masked: new Set(reply.masked) };
  }

  async set(plugin: string, data: Values, by: string | undefined, signal: AbortSignal): Promise<void> {
    if (Object.keys(data).length === 0) return;
    await this.#client.call(configSet, { host: this.#host, plugin, data, by: by ?? this.#by }, { timeoutMs, signal });
  }

  /** The number of the newest change of the house. */
  async latest(plugin: string, signal: AbortSignal): Promise<number> {
    return (await this.#client.call(configHistory, { host: this.#host, plugin, limit: 1 }, { timeoutMs, signal })).latest;
  }

  /** Puts the values back as they were just after a change, and tells which were others; as far as the history still reaches there. */
  async revert(plugin: string, to: number, signal: AbortSignal): Promise<readonly string[]> {
    const { changes } = await this.#client.call(configHistory, { host: this.#host, plugin, limit: 1 }, { timeoutMs, signal });
    if ((changes[0]?.change ?? 0) <= to) return [];
    return (await this.#client.call(configRevert, { host: this.#host, plugin, to, by: this.#by }, { timeoutMs, signal })).changed;
  }

  /** Puts values that do not fit back to what they were after a change; what cannot be found any more is forgotten. */
  async revertUnfit({ name: plugin, configuration }: Manifest, to: number | undefined, by: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
    const unfit = Object.keys(unfitValues(configuration, await this.values(plugin, signal)));
    for (const key of unfit) {
      const about = { host: this.#host, plugin, key, by: by ?? this.#by };
      try {
        if (to !== undefined) {
          await this.#client.call(configRevert, { ...about, to }, { timeoutMs, signal });
          continue;
        }
      } catch (error) {
        if (!(error instanceof PeerError) || (error.code !== 'HISTORY_NOT_FOUND' && error.code !== 'CONFIG_INVALID')) throw error;
      }
      await this.#client.call(configDelete, about, { timeoutMs, signal });
    }
    return unfit;
  }

  /** Forgets what a plugin was told on this host, and how many values that were. */
  async forget(plugin: string, by: string | undefined, signal: AbortSignal): Promise<number> {
    return (await this.#client.call(configDelete, { host: this.#host, plugin, by: by ?? this.#by }, { timeoutMs, signal })).deleted;
  }

  /** Forgets whether a plugin starts with the house; the manager keeps that under a key of its own. */
  async forgetAutostart(plugin: string, by: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#client.call(configDelete, { host: this.#host, plugin: 'manager', key: `autostart.${plugin}`, by: by ?? this.#by }, { timeoutMs, signal });
  }
}

/** The values of known keys that the items refuse. What no item is for harms nobody, and may be of use to another version. */
function unfitValues(items: Manifest['configuration'], { values, masked }: SetValues): FieldProblems {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => {
    const item = Object.hasOwn(items, key) ? items[key] : undefined;
    const problem = item === undefined || masked.has(key) ? undefined : valueProblem(item, value);
    return problem === undefined ? [] : [[key, problem]];
  }));
}

/** What keeps a version from running: of the values that are given, and of those that are set. */
export function configurationNeeds(items: Manifest['configuration'], set: SetValues, given: Values): { readonly wrong: FieldProblems; readonly needed: FieldProblems } {
  const wrong = configurationProblems(items, given);
  const all = { values: { ...set.values, ...given }, masked: new Set([...set.masked].filter((key) => !Object.hasOwn(given, key))) };
  const missing = missingKeys(items, all.values).map((key) => [key, `is needed: ${items[key]?.description ?? ''}`]);
  return { wrong, needed: { ...unfitValues(items, all), ...Object.fromEntries(missing) } };
}
