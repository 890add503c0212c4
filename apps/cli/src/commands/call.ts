// `domus call`: any action of any service, as it goes over the bus.
import { type Command, InvalidArgumentError } from 'commander';
import type { JsonObject } from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { CommandError } from '../failure.ts';
import { printJson } from '../output.ts';
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
The reply goes to standard output and the exit code is 0; an error goes to standard error as CODE: reason, and it is 1.`)
    .action(async (service: string, action: string, json: string, options: { timeout: number }, command: Command) => {
      const data = parseData(json);
      await withClient(settings(command), async (client) => {
        await refuseMistyped(client, service, options.timeout * 1000);
        const reply = await client.request(service, { action, data }, { timeoutMs: options.timeout * 1000 });
        if (reply.data['status'] === false) {
          throw new PeerError(textOr(reply.data['code'], 'FAILED'), textOr(reply.data['reason'], 'the service gave no reason'), { service, action });
        }
        printJson(reply.data);
      });
    });
}

/** A name that nobody offers and that is almost one that somebody does: no use in waiting for it. */
async function refuseMistyped(client: Client, service: string, timeoutMs: number): Promise<void> {
  const services = (await client.manage('mmi.services', '', { timeoutMs: Math.min(timeoutMs, listTimeoutMs) })).split(', ').filter((name) => name !== '');
  if (services.includes(service) || service.startsWith('mmi.')) return;
  const meant = didYouMean(service, services) ?? services.find((name) => name.endsWith(`.${service}`));
  if (meant !== undefined) throw new CommandError('SERVICE_UNKNOWN', `no worker offers ${service}; did you mean ${meant}?`);
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
