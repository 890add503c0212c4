// `domus call`: any action of any service, as it goes over the bus.
import { type Command, InvalidArgumentError } from 'commander';
import type { JsonObject } from '@majordomus/contracts';
import { type Client, type Message, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { note, printJson, printLine } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';

const defaultTimeoutSeconds = 10;
const listTimeoutMs = 2000;

export function addCall(program: Command, { settings }: CommandContext): void {
  program
    .command('call')
    .argument('<service>', 'who is asked, e.g. dbmanager or igor.diskfree')
    .argument('<action>', 'what is asked, e.g. config.get')
    .argument('[json]', 'the data, a JSON object', '{}')
    .option('--timeout <seconds>', 'how long to wait for the answer', seconds, defaultTimeoutSeconds)
    .description('ask a service and print the data of its reply')
    .addHelpText('after', `
Examples:
  domus call dbmanager config.list
  domus call dbmanager config.get '{"host": "igor", "plugin": "velbus", "key": "protocol"}'
  domus call igor.diskfree helper.do '{"command": "list"}' --timeout 5
  domus call mmi.service dbmanager
The reply goes to standard output and the exit code is 0; an error goes to standard error as CODE: reason, and it is 1.`)
    .action(async (service: string, action: string, json: string, options: { timeout: number }, command: Command) => {
      const timeoutMs = options.timeout * 1000;
      await withClient(settings(command), async (client) => {
        if (service.startsWith('mmi.')) printLine(await client.manage(service, action, { timeoutMs }));
        else printJson(await request(client, service, { action, data: parseData(json) }, timeoutMs));
      });
    });
}

/** The data of the reply. @throws CallError, with the name that may have been meant if the service is unknown */
async function request(client: Client, service: string, message: Message, timeoutMs: number): Promise<JsonObject> {
  const waiting = new AbortController();
  void tellIfAbsent(client, service, waiting.signal);
  try {
    const { data } = await client.request(service, message, { timeoutMs });
    if (data['status'] !== false) return data;
    throw new PeerError(textOr(data['code'], 'FAILED'), textOr(data['reason'], 'the service gave no reason'), { service, action: message.action });
  } catch (error) {
    const meant = error instanceof PeerError && error.code === 'SERVICE_UNKNOWN' ? nearest(service, await servicesOf(client)) : undefined;
    throw meant === undefined ? error : new CommandError('SERVICE_UNKNOWN', `no worker offers ${service}; did you mean ${meant}?`, { cause: error });
  } finally {
    waiting.abort();
  }
}

/** A service that is not there may come back in a moment, so it is waited for; a person who mistyped it need not wait. */
async function tellIfAbsent(client: Client, service: string, waiting: AbortSignal): Promise<void> {
  const services = await servicesOf(client);
  if (waiting.aborted || services.length === 0 || services.includes(service) || !process.stderr.isTTY) return;
  const meant = nearest(service, services);
  note(`no worker offers ${service} yet, waiting for one${meant === undefined ? '' : ` (did you mean ${meant}? Ctrl-C ends the waiting)`}`);
}

async function servicesOf(client: Client): Promise<string[]> {
  try {
    return (await client.manage('mmi.services', '', { timeoutMs: listTimeoutMs })).split(', ').filter((name) => name !== '');
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

function parseData(json: string): JsonObject {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw new CommandError('BAD_REQUEST', `the data is not JSON (${cause instanceof Error ? cause.message : String(cause)}); write it as '{"key": "value"}'`, { cause });
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new CommandError('BAD_REQUEST', 'the data is not a JSON object; write it as \'{"key": "value"}\'');
  return data as JsonObject;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('It must be a number of seconds above 0 and up to 3600.');
  return value;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
