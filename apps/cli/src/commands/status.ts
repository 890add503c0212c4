// `domus status`: every part and plugin of every host of the house, at a glance; this host first.
import type { Command } from 'commander';
import { hostService, noticeList, partList, pluginList, type OutputOf, type PluginStatus } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { awayText, awayTodo, hostsOf, type HouseHost } from '../hosts.ts';
import { note, printJson, printLine, styled } from '../output.ts';
import { asTyped, typedCommand } from '../own-files.ts';
import type { CommandContext } from '../program.ts';
import { withFirstHost, withHost } from '../session.ts';
import { statusTable } from '../status-table.ts';

const timeoutMs = 6000;
/** Who is behind a cut line must not hold up what the others have to say. */
const elsewhereTimeoutMs = 3000;

export function addStatus(program: Command, { settings }: CommandContext): void {
  program
    .command('status')
    .option('--json', 'as JSON')
    .description('how every part and plugin of the house is, host by host (of one with --host)')
    .addHelpText('after', `
Examples:
  domus status
  domus status --host igor --json`)
    .action(async (options: { json?: boolean }, command: Command) => {
      const onlyOne = command.optsWithGlobals<{ host?: string }>().host !== undefined;
      const show = async (client: Client, host: string): Promise<void> => {
        const own = await hostStatus(client, host, timeoutMs);
        const others = onlyOne ? [] : await statusOfOthers(client, host);
        const notices = await noticesOf(client);
        if (options.json === true) printJson({ ...own, others, notices });
        else {
          print(own, Date.now());
          for (const other of others) {
            printLine('');
            if ('problem' in other) printLine(`${styled('bold', other.host)}: ${styled('yellow', 'does not answer')}: ${other.problem}`);
            else print(other, Date.now());
          }
          for (const { id, atMs, text } of notices) {
            printLine('');
            printLine(`${styled('yellow', `notice ${id}, ${new Date(atMs).toISOString()}`)}: ${asTyped(text)} (${typedCommand} acknowledge ${id})`);
          }
          if (notices.length > 0) printLine('daily backups from before a notice are kept until it is acknowledged');
        }
      };
      const own = settings(command);
      await (onlyOne ? withHost(own, (client) => show(client, own.host)) : withFirstHost(own, show));
    });
}

/** What the house has to tell; a database that does not answer is seen by the state of its part. */
async function noticesOf(client: Client): Promise<OutputOf<typeof noticeList>['notices']> {
  try {
    return (await client.call(noticeList, {}, { timeoutMs: elsewhereTimeoutMs })).notices;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return [];
  }
}

interface HostStatus extends OutputOf<typeof partList> {
  readonly plugins: readonly PluginStatus[];
  /** Why the plugins are not known, or null. */
  readonly pluginsProblem: string | null;
  /** How many hosts have this name, if they are several. */
  readonly namesakes?: number;
}

interface Unreachable {
  readonly host: string;
  readonly problem: string;
}

async function hostStatus(client: Client, host: string, limitMs: number): Promise<HostStatus> {
  const house = await client.call(partList, {}, { service: hostService(host, partList.service), timeoutMs: limitMs });
  try {
    return { ...house, plugins: (await client.call(pluginList, {}, { service: hostService(host, pluginList.service), timeoutMs: limitMs })).plugins, pluginsProblem: null };
  } catch (error) {
    // A manager that does not answer must not hide how the parts are.
    if (!(error instanceof CallError)) throw error;
    return { ...house, plugins: [], pluginsProblem: `${error.code}: ${error.message}` };
  }
}

async function statusOfOthers(client: Client, ownHost: string): Promise<readonly (HostStatus | Unreachable)[]> {
  const hosts = await hostsOf(client, { timeoutMs: elsewhereTimeoutMs });
  const others = hosts.filter(({ host, count }) => host !== ownHost || count > 1);
  return await Promise.all(others.map((other) => statusOfOther(client, other)));
}

async function statusOfOther(client: Client, { host, count }: HouseHost): Promise<HostStatus | Unreachable> {
  if (count === 0) return { host, problem: `${awayText}; ${awayTodo(host)}` };
  try {
    const status = await hostStatus(client, host, elsewhereTimeoutMs);
    return count === 1 ? status : { ...status, namesakes: count };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return { host, problem: `${error.code}: ${error.message}` };
  }
}

function print({ host, version, home, join, parts, plugins, pluginsProblem, namesakes }: HostStatus, nowMs: number): void {
  printLine(styled('bold', `${host}: Majordomus ${version}, home ${home}${join === undefined ? '' : `, joined ${join}`}`));
  printLine(statusTable(parts, plugins, nowMs));
  if (pluginsProblem !== null) note(`the plugins of ${host} are not known: ${pluginsProblem}`);
  if (namesakes !== undefined) note(`${namesakes} hosts are called ${host}, and this is what one of them says: stop the others, and start them with another --host`);
}
