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
import { note, printLine, styled } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { createProgress, type Progress } from '../progress.ts';
import type { CliSettings } from '../session.ts';
import { statusTable } from '../status-table.ts';
import { watchForStop } from '../stop-signals.ts';

/** How long plugins may take before the house calls itself ready without them. */
const pluginsLimitMs = 10_000;
const pollMs = 50;

export function addUp(program: Command, { houseSettings }: CommandContext): void {
  program
    .command('up')
    .option('--bind <address>', 'where the broker listens (port * for any free one)')
    .option('--no-plugins', 'start no plugins, and install none in a new home')
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
  let house: House | undefined;
  stop.onSecond(() => house?.kill());
  // Until the parts run, what is told of them waits: a start that fails is told in one line, and the logs have the rest.
  const early: (() => void)[] = [];
  const tell = (say: () => void): void => {
    if (house === undefined) early.push(say);
    else say();
  };
  // The terminal of a house is quiet while all is well, unless it is asked for more.
  const log = createLog('house', settings.logLevel === 'info' ? 'warn' : settings.logLevel, true, (text) => tell(() => {
    progress.clear();
    printLine(text);
  }));
  try {
    house = await House.start({
      settings, log, plugins: options.plugins, onProgress: progress.step,
      echo: (part, line) => tell(() => echo(progress, part, line)),
    }, stop.signal);
    for (const say of early.splice(0)) say();
    house.onChange((change) => tellChange(progress, change));
    await using client = new Client({ endpoint: connectable(house.endpoint) });
    await settlePlugins(client, settings, options, progress, stop.signal);
    progress.clear();
    await printWelcome(client, settings, { endpoint: house.endpoint, homeIsTyped: options.home !== undefined, seconds: (performance.now() - startedMs) / 1000 }, stop.signal);
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
    if (options.plugins) await furnish(client, host, progress.step, signal);
    progress.step('waiting for the plugins');
    const untilMs = performance.now() + pluginsLimitMs;
    while ((await pluginsOf(client, host, signal)).some(({ state }) => state === 'starting') && performance.now() < untilMs) await delay(pollMs, undefined, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    progress.clear();
    reportFailure(error);
    process.exitCode = 0;
  }
}

async function pluginsOf(client: Client, host: string, signal: AbortSignal): Promise<readonly PluginStatus[]> {
  return (await client.call(pluginList, {}, { service: hostService(host, 'manager'), signal })).plugins;
}

interface Welcome {
  readonly endpoint: string;
  /** Then it must be typed for the other commands too. */
  readonly homeIsTyped: boolean;
  /** How long the start took. */
  readonly seconds: number;
}

async function printWelcome(client: Client, { host, home }: CliSettings, { endpoint, homeIsTyped, seconds }: Welcome, signal: AbortSignal): Promise<void> {
  const { parts } = await client.call(partList, {}, { service: hostService(host, 'house'), signal });
  const plugins = await pluginsOf(client, host, signal).catch((error: unknown) => {
    if (error instanceof CallError) return [];
    throw error;
  });
  printLine(statusTable(parts, plugins, Date.now()));
  printLine('');
  printLine(`Host     ${host}`);
  printLine(`Home     ${home}`);
  printLine(`Broker   ${endpoint}`);
  printLine('');
  printLine('Try, in another terminal:');
  const domus = homeIsTyped ? `./domus --home ${shellWord(home)}` : './domus';
  for (const command of commandsToTry(host, plugins)) printLine(`  ${domus} ${command}`);
  printLine('');
  printLine(styled('bold', `Majordomus ${majordomusVersion} is ready after ${seconds.toFixed(1)} s. Ctrl-C stops it.`));
}

function commandsToTry(host: string, plugins: readonly PluginStatus[]): readonly string[] {
  if (!plugins.some(({ name }) => name === 'diskfree')) return ['status', 'services', 'plugin install ./plugins/diskfree'];
  return ['status', `call ${hostService(host, 'diskfree')} helper.do '{"command": "list"}'`, 'config set diskfree limit 80'];
}

/** The text as one word of a command line. */
function shellWord(text: string): string {
  return /^[\w./:@%+=,~-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** While the house runs, its terminal shows what a person should know: warnings, errors, and what is not a log line. */
function echo(progress: Progress, part: string, line: string): void {
  if (/^\[[^\]]*\] (INFO|DEBUG|TRACE)\b/.test(line)) return;
  progress.clear();
  note(`${styled('dim', part.padEnd(14))} ${line}`);
}

/** The log tells what goes wrong; this, that it is right again. */
function tellChange(progress: Progress, { name, status, before }: StatusChange): void {
  if (status.state !== 'running' || before.state === 'running') return;
  progress.clear();
  note(`${styled('dim', name.padEnd(14))} is running`);
}
