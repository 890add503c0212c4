// `domus call`: any action of any service, as it goes over the bus.
import { type Command, InvalidArgumentError } from 'commander';
import { hostService, parsePluginId, type JsonObject } from '@majordomus/contracts';
import { CallError, type Client, type Message, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { callData } from '../call-data.ts';
import { isPlugin } from '../configured-plugins.ts';
import { CommandError } from '../failure.ts';
import { missingHost, type AskOptions } from '../hosts.ts';
import { notInstalledText, pluginsOf } from '../house-plugins.ts';
import { note, printJson, printLine } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import type { CommandContext } from '../program.ts';
import { canAsk } from '../questions.ts';
import { isPluginService } from '../service-contracts.ts';
import { withClient } from '../session.ts';

const defaultTimeoutSeconds = 10;
const listTimeoutMs = 2000;

export function addCall(program: Command, { settings }: CommandContext): void {
  program
    .command('call')
    .argument('<service>', 'who is asked, e.g. dbmanager or igor.diskfree')
    .argument('<action>', 'what is asked, e.g. config.get')
    .argument('[data...]', 'the data: key=value words, or one JSON object; what is missing is asked at a terminal')
    .option('--timeout <seconds>', 'how long to wait for the answer', seconds, defaultTimeoutSeconds)
    .description('ask a service and print the data of its reply')
    .addHelpText('after', `
Examples:
  domus call dbmanager config.list
  domus call dbmanager config.get host=igor plugin=velbus key=protocol
  domus call dbmanager config.set '{"host": "igor", "plugin": "velbus", "data": {"protocol": "usb"}}'
  domus call igor.diskfree helper.do command=check path=/ --timeout 5
  domus call mmi.service dbmanager
The reply goes to standard output and the exit code is 0; an error goes to standard error as CODE: reason, and it is 1.`)
    .action(async (service: string, action: string, words: string[], options: { timeout: number }, command: Command) => {
      const timeoutMs = options.timeout * 1000;
      const { host } = settings(command);
      await withClient(settings(command), async (client) => {
        if (service.startsWith('mmi.')) return printLine(await client.manage(service, [action, ...words].join(' '), { timeoutMs }));
        printJson(await request(client, { service, host, timeoutMs }, async (signal) => ({ action, data: await callData(words, { client, service, action, host, timeoutMs, signal }) })));
      });
    });
}

interface Asked {
  readonly service: string;
  readonly host: string;
  readonly timeoutMs: number;
}

/**
 * The data of the reply. Beside the request it is asked whether the service is a plugin that stands still: that ends it.
 * @param prepare what is asked; its signal fires when that is of no use any more
 * @throws CallError, with the name that may have been meant if the service is unknown
 */
async function request(client: Client, { service, host, timeoutMs }: Asked, prepare: (signal: AbortSignal) => Promise<Message>): Promise<JsonObject> {
  let endMs = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, endMs - performance.now());
  const ended = new AbortController();
  const atRest = new AbortController();
  const watched = watchRest(client, { service, host, timeoutMs }, ended.signal, (why) => atRest.abort(new CommandError('SERVICE_UNKNOWN', why)));
  try {
    const message = await prepare(atRest.signal);
    // A person who was asked something has taken a time of their own.
    if (canAsk()) endMs = performance.now() + timeoutMs;
    const { data } = await client.request(service, message, { timeoutMs: leftMs(), signal: atRest.signal });
    if (data['status'] !== false) return data;
    throw new PeerError(textOr(data['code'], 'FAILED'), textOr(data['reason'], 'the service gave no reason'), { service, action: message.action });
  } catch (error) {
    if (error instanceof CallError && error.code === 'ABORTED') atRest.signal.throwIfAborted();
    if (!(error instanceof PeerError) || error.code !== 'SERVICE_UNKNOWN') throw error;
    const whyMs = Math.ceil(Math.min(leftMs(), listTimeoutMs));
    const why = await whyAbsent(client, service, host, { timeoutMs: whyMs, signal: AbortSignal.timeout(whyMs) });
    throw why === undefined ? error : new CommandError('SERVICE_UNKNOWN', why, { cause: error });
  } finally {
    ended.abort();
    await watched;
  }
}

/** What stands still is not there in a moment, as what is being started is. */
async function watchRest(client: Client, { service, host, timeoutMs }: Asked, signal: AbortSignal, tell: (why: string) => void): Promise<void> {
  const services = await servicesOf(client, { timeoutMs, signal });
  if (services.length === 0 || services.includes(service)) return;
  const plugin = await absentPlugin(client, service, host, services, { timeoutMs, signal });
  if (signal.aborted) return;
  if (plugin?.isAtRest === true) tell(plugin.why);
  else tellAbsent(service, services);
}

/** Why a service is not there: a plugin that does not run, a name that is like another, or a host that there is not. Undefined if that is not known in time. */
async function whyAbsent(client: Client, service: string, ownHost: string, options: AskOptions): Promise<string | undefined> {
  const services = await servicesOf(client, options);
  const plugin = await absentPlugin(client, service, ownHost, services, options);
  if (plugin?.isInstalled === true) return plugin.why;
  const meant = nearest(service, services);
  if (meant !== undefined) return `no worker offers ${service}; did you mean ${meant}?`;
  if (plugin !== undefined || !isPluginService(service)) return plugin?.why;
  try {
    return (await missingHost(client, parsePluginId(service, ownHost).host, options))?.text;
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}

interface AbsentPlugin {
  readonly isInstalled: boolean;
  /** Whether it does not run before somebody does something. */
  readonly isAtRest: boolean;
  readonly why: string;
}

/** What the manager of its host knows of a plugin that does not answer; undefined if no manager says anything. A bare name is a plugin of this host. */
async function absentPlugin(client: Client, service: string, ownHost: string, services: readonly string[], options: AskOptions): Promise<AbsentPlugin | undefined> {
  const { host, name } = parsePluginId(service, ownHost);
  if (!isPlugin(name) || !services.includes(hostService(host, 'manager'))) return undefined;
  const id = `${host}.${name}`;
  try {
    const plugins = await pluginsOf(client, host, options);
    const plugin = plugins.find((one) => one.name === name);
    if (plugin === undefined) {
      if (service === name) return undefined;
      return { isInstalled: false, isAtRest: false, why: notInstalledText(name, { host, ownHost, names: plugins.map((one) => one.name) }) };
    }
    const { state, reason, lastError } = plugin;
    // It is only called by half its name.
    if (service === name && state === 'running') return undefined;
    if (state === 'stopped') return { isInstalled: true, isAtRest: true, why: `${name} on ${host} is stopped; start it with: ${typedCommand} plugin start ${id}` };
    const why = reason || lastError;
    return { isInstalled: true, isAtRest: state === 'failed', why: `${name} on ${host} is ${state}${why === '' ? '' : `: ${why}`}; see: ${typedCommand} plugin log ${id}` };
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}

/** A service that is not there may come back in a moment, so it is waited for; a person who mistyped it need not wait. */
function tellAbsent(service: string, services: readonly string[]): void {
  if (!process.stderr.isTTY) return;
  const meant = nearest(service, services);
  note(`no worker offers ${service} yet, waiting for one${meant === undefined ? '' : ` (did you mean ${meant}? Ctrl-C ends the waiting)`}`);
}

async function servicesOf(client: Client, options: AskOptions): Promise<string[]> {
  try {
    return (await client.manage('mmi.services', '', options)).split(', ').filter((name) => name !== '');
  } catch {
    // A broker that does not list its services leaves nothing to suggest.
    return [];
  }
}

/** The service that may have been meant; `diskfre` means `igor.diskfree`, too, and `igor.diskfre` is no `igor.house`. */
function nearest(service: string, services: readonly string[]): string | undefined {
  const bareName = (name: string): string => name.slice(name.indexOf('.') + 1);
  const byBareName = new Map(services.map((name) => [bareName(name), name]));
  return byBareName.get(didYouMean(bareName(service), [...byBareName.keys()]) ?? '');
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('It must be a number of seconds above 0 and up to 3600.');
  return value;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
