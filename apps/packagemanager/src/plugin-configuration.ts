// The configuration of this host's plugins, as dbmanager has it: the schema that types the values, the values, and the number
// of the newest change, by which they are put back as they were.
import {
  autostartPrefix, configDelete, configGet, configHistory, configRevert, configSet, configurationProblems, missingKeys, schemaGet, schemaSet, valueProblem,
  type FieldProblems, type JsonValue, type Manifest,
} from '@majordomus/contracts';
import { PeerError, type Client } from '@majordomus/mq';

const timeoutMs = 5000;
/** As many as `config.history` gives at once. */
const mostChanges = 1000;
/** What dbmanager says of values of then that cannot be those of now. */
const refusals: ReadonlySet<string> = new Set(['HISTORY_NOT_FOUND', 'CONFIG_INVALID', 'SECRET_UNREADABLE']);

export type Values = Readonly<Record<string, JsonValue>>;

/** The values of a plugin that are set, and those of them that are secret and not shown. */
export interface SetValues {
  readonly values: Values;
  readonly masked: ReadonlySet<string>;
}

/** What became of values that were to be as they were. */
export interface Reverted {
  /** The keys whose value is another one now. */
  readonly changed: readonly string[];
  /** The keys whose value stays, and why. */
  readonly stayed: FieldProblems;
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

  /** Whether the values of a plugin are checked by any schema. */
  async hasSchema(plugin: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.call(schemaGet, { plugin }, { timeoutMs, signal });
      return true;
    } catch (error) {
      if (error instanceof PeerError && error.code === 'SCHEMA_NOT_FOUND') return false;
      throw error;
    }
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

  /** Puts the values back as they were just after a change: all at once, or if that is refused, each that can be. */
  async revert(plugin: string, to: number, signal: AbortSignal): Promise<Reverted> {
    const keys = await this.#changedSince(plugin, to, signal);
    if (keys.length === 0) return { changed: [], stayed: {} };
    const about = { host: this.#host, plugin, to, by: this.#by };
    const changed: string[] = [];
    const stayed: [key: string, reason: string][] = [];
    for (const key of [undefined, ...keys]) {
      try {
        changed.push(...(await this.#client.call(configRevert, { ...about, ...(key !== undefined && { key }) }, { timeoutMs, signal })).changed);
        if (key === undefined) break;
      } catch (error) {
        if (!(error instanceof PeerError) || !refusals.has(error.code)) throw error;
        if (key !== undefined) stayed.push([key, refusalOf(key, error)]);
      }
    }
    return { changed, stayed: Object.fromEntries(stayed) };
  }

  /** The keys that were changed after a change, each once. */
  async #changedSince(plugin: string, to: number, signal: AbortSignal): Promise<readonly string[]> {
    const keys = new Set<string>();
    for (let before: number | undefined; ;) {
      const { changes } = await this.#client.call(configHistory, { host: this.#host, plugin, limit: mostChanges, ...(before !== undefined && { before }) }, { timeoutMs, signal });
      const later = changes.filter(({ change }) => change > to);
      for (const { key } of later) keys.add(key);
      if (later.length < mostChanges) return [...keys];
      before = later.at(-1)?.change;
    }
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
        if (!(error instanceof PeerError) || !refusals.has(error.code)) throw error;
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
    await this.#client.call(configDelete, { host: this.#host, plugin: 'manager', key: `${autostartPrefix}${plugin}`, by: by ?? this.#by }, { timeoutMs, signal });
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

/** Why a value of then is refused, without the words around it. */
function refusalOf(key: string, { code, message, details }: PeerError): string {
  const { fields = {} } = (details ?? {}) as { readonly fields?: FieldProblems };
  if (code === 'HISTORY_NOT_FOUND') return 'its history does not reach back to then';
  return fields[key] ?? message;
}

/** What keeps a version from running: of the values that are given, and of those that are set; these do not fit, or are missing. */
export function configurationNeeds(items: Manifest['configuration'], set: SetValues, given: Values): Record<'wrong' | 'unfit' | 'missing', FieldProblems> {
  const wrong = configurationProblems(items, given);
  const all = { values: { ...set.values, ...given }, masked: new Set([...set.masked].filter((key) => !Object.hasOwn(given, key))) };
  const missing = missingKeys(items, all.values).map((key) => [key, `is needed: ${items[key]?.description ?? ''}`]);
  return { wrong, unfit: unfitValues(items, all), missing: Object.fromEntries(missing) };
}
