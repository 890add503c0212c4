// `domus up`: a whole house in the foreground of one terminal.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { hostService, partList, pluginList, type PluginStatus } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { createLog, lockHome, majordomusVersion, untilAborted } from '@majordomus/runtime';
import type { StatusChange } from '@majordomus/supervisor';
import { reportFailure } from '../failure.ts';
import { furnish } from '../first-plugins.ts';
import { connectable, House } from '../house.ts';
import { note, printLine, styled, table } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { createProgress, type Progress } from '../progress.ts';
import type { CliSettings } from '../session.ts';
import { watchForStop } from '../stop-signals.ts';
import { statusRow } from './status.ts';

/** How long plugins may take before the house calls itself ready without them. */
const pluginsLimitMs = 10_000;
const pollMs = 50;

export function addUp(program: Command, { houseSettings }: CommandContext): void {
  program
    .command('up')
    .option('--bind <address>', 'where the broker listens (port * for any free one)')
    .option('--no-plugins', 'do not install the first plugin in a new home')
    .description('start the house here in the foreground; Ctrl-C stops it')
    .addHelpText('after', `
Examples:
  domus up
  domus up --home ~/house --host igor
  domus up --bind tcp://127.0.0.1:*              any free port`)
    .action(async (_options: object, command: Command) => {
      try {
        await up(houseSettings(command), command.optsWithGlobals<UpOptions>());
      } catch (error) {
        reportFailure(error);
      }
      // Whatever is left over must not keep a stopped house in the terminal.
      process.exit();
    });
}

interface UpOptions {
  readonly plugins: boolean;
  /** As it was typed. */
  readonly home?: string;
}

async function up(settings: CliSettings, options: UpOptions): Promise<void> {
  const startedMs = performance.now();
  using _lock = lockHome(settings.home, 'house');
  const stop = watchForStop();
  const progress = createProgress(process.stderr);
  const log = createLog('house', 'error', true);
  let house: House | undefined;
  stop.onSecond(() => house?.kill());
  // Until the parts run, what they print waits: a start that fails is told in one line, and the logs have the rest.
  const early: (() => void)[] = [];
  try {
    house = await House.start({
      settings, log, onProgress: progress.step,
      echo: (part, line) => (house === undefined ? early.push(() => echo(progress, part, line)) : echo(progress, part, line)),
    }, stop.signal);
    for (const tell of early.splice(0)) tell();
    house.onChange((change) => tellChange(progress, change));
    await using client = new Client({ endpoint: connectable(house.endpoint) });
    await settlePlugins(client, settings, options, progress, stop.signal);
    progress.clear();
    await printWelcome(client, settings, house.endpoint, (performance.now() - startedMs) / 1000);
    await untilAborted(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    progress.clear();
    if (house !== undefined) {
      note(`\nstopping (${stop.why}); once more to end at once`);
      await house.stop();
    }
  }
  note('the house is stopped');
}

/** The first plugin in a new home, and a moment for those that start with the house. A house without plugins runs all the same. */
async function settlePlugins(client: Client, { host }: CliSettings, options: { readonly plugins: boolean }, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    if (options.plugins) await furnish(client, host, progress.step);
    progress.step('waiting for the plugins');
    const untilMs = performance.now() + pluginsLimitMs;
    while ((await pluginsOf(client, host)).some(({ state }) => state === 'starting') && performance.now() < untilMs) await delay(pollMs, undefined, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    progress.clear();
    reportFailure(error);
    process.exitCode = 0;
  }
}

async function pluginsOf(client: Client, host: string): Promise<readonly PluginStatus[]> {
  return (await client.call(pluginList, {}, { service: hostService(host, 'manager') })).plugins;
}

async function printWelcome(client: Client, { host, home }: CliSettings, endpoint: string, seconds: number): Promise<void> {
  const { parts } = await client.call(partList, {}, { service: hostService(host, 'house') });
  const plugins = await pluginsOf(client, host).catch((error: unknown) => {
    if (error instanceof CallError) return [];
    throw error;
  });
  const nowMs = Date.now();
  const rows = [...parts.map((part) => statusRow(part.name, part, nowMs)), ...plugins.map((plugin) => statusRow(plugin.name, plugin, nowMs))];
  printLine(table(['NAME', 'STATE', 'SINCE', 'PID', 'RESTARTS', 'REASON'], rows));
  printLine('');
  printLine(`Host     ${host}`);
  printLine(`Home     ${home}`);
  printLine(`Broker   ${endpoint}`);
  printLine('');
  printLine('Try, in another terminal:');
  printLine(`  ./domus status`);
  printLine(`  ./domus call ${host}.diskfree helper.do '{"command": "list"}'`);
  printLine(`  ./domus config set diskfree limit 80`);
  printLine('');
  printLine(styled('bold', `Majordomus ${majordomusVersion} is ready after ${seconds.toFixed(1)} s. Ctrl-C stops it.`));
}

/** While the house runs, its terminal shows what a person should know: warnings, errors, and what is not a log line. */
function echo(progress: Progress, part: string, line: string): void {
  if (/^\[[^\]]*\] (INFO|DEBUG|TRACE)\b/.test(line)) return;
  progress.clear();
  note(`${styled('dim', part.padEnd(14))} ${line}`);
}

function tellChange(progress: Progress, { name, status, before }: StatusChange): void {
  if (status.state === before.state || status.state === 'starting' || status.state === 'stopping' || status.state === 'stopped') return;
  progress.clear();
  note(`${styled('dim', name.padEnd(14))} is ${status.state}${status.reason === '' ? '' : `: ${status.reason}`}`);
}
