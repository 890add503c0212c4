// dbmanager and a manager as far as packagemanager knows them, for the tests: schemas, values with their history, and plugins that
// do what a file `behaviour` of their package says. What it knows is in a file, so that it outlives a process that is killed.
import { existsSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ActionFailure, configDelete, configGet, configHistory, configList, configRevert, configSet, configurationProblems, pluginLog, pluginRestart, pluginStatusGet,
  pluginStop, schemaGet, schemaSet, withDefaults, type Contract, type InputOf, type JsonObject, type JsonValue, type OutputOf, type PluginStatus, type RequestOf, type ResultOf,
} from '@majordomus/contracts';
import { Handlers, PeerError, type Client } from '@majordomus/mq';
import { versionOf } from '../src/release-record.ts';

/** Where the peers of these packages are kept. */
export function peersFile(packages: string): string {
  return `${packages}-peers.json`;
}

/** What a plugin does that is started: `well` without a file. */
export type Behaviour = 'well' | 'crashes' | 'waits' | 'starts for ever';

interface Change {
  readonly change: number;
  readonly plugin: string;
  readonly key: string;
  readonly old?: JsonValue;
  readonly new?: JsonValue;
  readonly by?: string;
}

interface State {
  schemas: Record<string, RequestOf<typeof schemaSet>>;
  values: Record<string, Record<string, JsonValue>>;
  history: Change[];
  /** The release that runs, by plugin. */
  runs: Record<string, string>;
  restarts: number;
}

export interface SimulatedHouseOptions {
  readonly packages: string;
  readonly host?: string;
  /** Where it is kept over processes; only in memory without it. */
  readonly file?: string;
  /** Called before each action; what it throws is the answer. */
  readonly before?: (action: string, data: JsonObject) => void | Promise<void>;
}

const now = { state: 'stopped', sinceMs: 0, pid: null, restarts: 0, reason: '', lastError: '', memoryMb: null, memoryLimitMb: null } as const;

export class SimulatedHouse {
  readonly #packages: string;
  readonly #host: string;
  readonly #file: string | undefined;
  readonly #before: NonNullable<SimulatedHouseOptions['before']>;
  #state: State = { schemas: {}, values: {}, history: [], runs: {}, restarts: 0 };
  /** What dbmanager was told, in order. */
  readonly schemas: RequestOf<typeof schemaSet>[] = [];
  /** The ids that the manager was asked to stop. */
  readonly stopped: string[] = [];
  /** The actions that were asked for, in order. */
  readonly asked: string[] = [];

  constructor({ packages, host = 'igor', file, before = () => {} }: SimulatedHouseOptions) {
    this.#packages = packages;
    this.#host = host;
    this.#file = file;
    this.#before = before;
    this.read();
  }

  /** Knows what another process has made of it. */
  read(): void {
    if (this.#file !== undefined && existsSync(this.#file)) this.#state = JSON.parse(readFileSync(this.#file, 'utf8')) as State;
  }

  /** The version whose schema is stored. */
  schemaOf(plugin: string): string | undefined {
    return this.#state.schemas[plugin]?.version;
  }

  valuesOf(plugin: string): Readonly<Record<string, JsonValue>> {
    return this.#state.values[plugin] ?? {};
  }

  /** The release that runs. */
  running(plugin: string): string | undefined {
    return this.#state.runs[plugin];
  }

  /** How often plugins were restarted. */
  get restarts(): number {
    return this.#state.restarts;
  }

  /** Starts the version that is installed. */
  start(plugin: string): void {
    this.#state.runs[plugin] = this.#current(plugin);
    this.#save();
  }

  /** Sets a value as a person does, or a plugin that runs. */
  set(plugin: string, key: string, value: JsonValue | undefined, by?: string): void {
    const values = this.#state.values[plugin] ?? {};
    const old = values[key];
    const change = (this.#state.history.at(-1)?.change ?? 0) + 1;
    this.#state.history.push({ change, plugin, key, ...(old !== undefined && { old }), ...(value !== undefined && { new: value }), ...(by !== undefined && { by }) });
    const { [key]: _former, ...rest } = values;
    this.#state.values[plugin] = value === undefined ? rest : { ...rest, [key]: value };
    this.#save();
  }

  /** As a client that asks this house. */
  readonly client: Pick<Client, 'call'> = {
    call: async <C extends Contract>(contract: C, data: InputOf<C>): Promise<OutputOf<C>> => {
      try {
        return (await this.do(contract.action, contract.input.parse(data) as JsonObject)) as OutputOf<C>;
      } catch (error) {
        if (!(error instanceof ActionFailure)) throw error;
        throw new PeerError(error.code, error.message, { service: contract.service, action: contract.action }, error.details);
      }
    },
  };

  get dbmanager(): Handlers {
    const handlers = new Handlers();
    for (const contract of [schemaGet, schemaSet, configGet, configSet, configDelete, configList, configHistory, configRevert] as const) this.#answer(handlers, contract);
    return handlers;
  }

  get manager(): Handlers {
    const handlers = new Handlers();
    for (const contract of [pluginStatusGet, pluginRestart, pluginStop, pluginLog] as const) this.#answer(handlers, contract);
    return handlers;
  }

  async do(action: string, data: JsonObject): Promise<unknown> {
    this.asked.push(action);
    await this.#before(action, data);
    switch (action) {
      case 'schema.get': return this.#schema(data as RequestOf<typeof schemaGet>);
      case 'schema.set': return this.#setSchema(data as RequestOf<typeof schemaSet>);
      case 'config.get': return this.#get(data as RequestOf<typeof configGet>);
      case 'config.set': return this.#set(data as RequestOf<typeof configSet>);
      case 'config.delete': return this.#delete(data as RequestOf<typeof configDelete>);
      case 'config.list': return { configurations: [] };
      case 'config.history': return this.#history(data as RequestOf<typeof configHistory>);
      case 'config.revert': return this.#revert(data as RequestOf<typeof configRevert>);
      case 'plugin.stop': return this.#stop(String(data['id']));
      case 'plugin.restart': return this.#restart(nameOf(data));
      case 'plugin.status': return { plugin: this.#status(nameOf(data)), log: [], lastWords: [] };
      case 'plugin.log': return { id: String(data['id']), lines: ['its last words'], next: 1 };
      default: throw new ActionFailure('ACTION_UNKNOWN', action);
    }
  }

  #answer(handlers: Handlers, contract: Contract): void {
    handlers.on(contract, (data) => this.do(contract.action, data as JsonObject));
  }

  #setSchema(data: RequestOf<typeof schemaSet>): ResultOf<typeof schemaSet> {
    this.schemas.push(data);
    this.#state.schemas[data.plugin] = data;
    this.#save();
    return { plugin: data.plugin };
  }

  #schema({ plugin }: RequestOf<typeof schemaGet>): ResultOf<typeof schemaGet> {
    const schema = this.#state.schemas[plugin];
    if (schema === undefined) throw new ActionFailure('SCHEMA_NOT_FOUND', `no schema of ${plugin} is known`);
    return schema;
  }

  #get({ host, plugin }: RequestOf<typeof configGet>): ResultOf<typeof configGet> {
    const values = this.valuesOf(plugin);
    const data = withDefaults(this.#state.schemas[plugin]?.items ?? {}, values);
    return { host, plugin, data, defaults: Object.keys(data).filter((key) => !Object.hasOwn(values, key)) };
  }

  #set(data: RequestOf<typeof configSet>): ResultOf<typeof configSet> {
    const { host, plugin, by } = data;
    const values = 'data' in data ? data.data : { [data.key]: data.value };
    const fields = configurationProblems(this.#state.schemas[plugin]?.items ?? {}, values);
    if (Object.keys(fields).length > 0) throw new ActionFailure('CONFIG_INVALID', JSON.stringify(fields), { fields });
    for (const [key, value] of Object.entries(values)) this.set(plugin, key, value, by);
    return { host, plugin };
  }

  #delete({ host, plugin, key }: RequestOf<typeof configDelete>): ResultOf<typeof configDelete> {
    const keys = Object.keys(this.valuesOf(plugin)).filter((one) => key === undefined || one === key);
    for (const one of keys) this.set(plugin, one, undefined);
    return { host, plugin, deleted: keys.length };
  }

  #history({ host, plugin, before = Infinity, limit }: RequestOf<typeof configHistory>): ResultOf<typeof configHistory> {
    const changes = this.#state.history.filter((one) => one.plugin === plugin && one.change < before).toReversed().slice(0, limit);
    return { host, plugin, latest: this.#state.history.at(-1)?.change ?? 0, changes: changes.map(({ plugin: _plugin, ...change }) => ({ ...change, atMs: 0 })) };
  }

  #revert({ host, plugin, key, to }: RequestOf<typeof configRevert>): ResultOf<typeof configRevert> {
    const then = new Map<string, JsonValue | undefined>();
    for (const one of this.#state.history) {
      if (one.plugin === plugin && one.change > to && (key ?? one.key) === one.key && !then.has(one.key)) then.set(one.key, one.old);
    }
    const changed = [...then].filter(([one, value]) => JSON.stringify(this.valuesOf(plugin)[one]) !== JSON.stringify(value));
    const values = Object.fromEntries(changed.flatMap(([one, value]) => (value === undefined ? [] : [[one, value]])));
    const fields = configurationProblems(this.#state.schemas[plugin]?.items ?? {}, values);
    if (Object.keys(fields).length > 0) throw new ActionFailure('CONFIG_INVALID', JSON.stringify(fields), { fields });
    for (const [one, value] of changed) this.set(plugin, one, value, 'revert');
    return { host, plugin, changed: changed.map(([one]) => one) };
  }

  #stop(id: string): ResultOf<typeof pluginStop> {
    this.stopped.push(id);
    const { [id.slice(id.indexOf('.') + 1)]: _stopped, ...rest } = this.#state.runs;
    this.#state.runs = rest;
    this.#save();
    return { id, host: this.#host, pid: null, state: 'stopped', detail: '' };
  }

  #restart(plugin: string): ResultOf<typeof pluginRestart> {
    this.#state.restarts += 1;
    this.start(plugin);
    const { id, host, pid, state, reason } = this.#status(plugin);
    return { id, host, pid, state, detail: reason };
  }

  #status(name: string): PluginStatus {
    const release = this.#state.runs[name];
    const about = { id: `${this.#host}.${name}`, host: this.#host, name, version: versionOf(release ?? ''), autostart: release !== undefined };
    if (release === undefined) return { ...about, ...now };
    const pid = 100 + this.#state.restarts;
    switch (behaviourOf(join(this.#packages, name, release))) {
      case 'crashes': return { ...about, ...now, state: 'backoff', restarts: 1, lastError: 'exit code 1' };
      case 'waits': return { ...about, ...now, state: 'not-ready', pid, reason: 'the device does not answer' };
      case 'starts for ever': return { ...about, ...now, state: 'starting', pid };
      default: return { ...about, ...now, state: 'running', pid };
    }
  }

  #current(plugin: string): string {
    return readlinkSync(join(this.#packages, plugin, 'current'));
  }

  #save(): void {
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#state));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function behaviourOf(folder: string): string {
  const file = join(folder, 'behaviour');
  return existsSync(file) ? readFileSync(file, 'utf8') : 'well';
}

function nameOf(data: JsonObject): string {
  const id = String(data['id']);
  return id.slice(id.indexOf('.') + 1);
}
