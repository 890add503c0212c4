// `domus up`: a whole house in the foreground of one terminal.
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { hostService, partList, pluginList, type PluginStatus } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { lockHome, majordomusVersion, untilAborted } from '@majordomus/runtime';
import type { StatusChange } from '@majordomus/supervisor';
import { finishRestore, keptFolder } from '../backup/replacement.ts';
import { reportFailure } from '../failure.ts';
import { furnish } from '../first-plugins.ts';
import { rememberHost } from '../hosts.ts';
import { connectable, House } from '../house.ts';
import { HouseLog } from '../house-log.ts';
import { note, printLine, styled } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { rememberStart, tellOfLastStart, wasStarted } from '../last-start.ts';
import { wasCut } from '../running-house.ts';
import { createProgress, type Progress } from '../progress.ts';
import { serviceManager } from '../service-manager.ts';
import type { CliSettings } from '../session.ts';
import { watchForStop } from '../stop-signals.ts';
import { welcomeText, type Welcome } from '../welcome.ts';

/** How long plugins may take before the house calls itself ready without them. */
const pluginsLimitMs = 10_000;
const pollMs = 50;

export function addUp(program: Command, { houseSettings }: CommandContext): void {
  program
    .command('up')
    .option('--bind <address>', 'where the broker listens (port * for any free one)')
    .addOption(new Option('--port <port>').hideHelp().argParser(refusePort))
    .option('--join <address>', 'join the house whose broker is there: only what every host has runs here')
    .option('--no-plugins', 'start no plugins, and install none in a new home')
    .description('start the house here in the foreground; Ctrl-C stops it')
    .addHelpText('after', `
Examples:
  domus up
  domus up --home ~/house --host igor
  domus up --bind tcp://127.0.0.1:*              any free port
  domus up --join tcp://192.168.1.10:40410       this host belongs to the house there`)
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

/** What a person may type instead of --bind; commander would take it for a mistyped --host. */
function refusePort(port: string): never {
  throw new InvalidArgumentError(`The port is a part of the address: --bind tcp://127.0.0.1:${port}`);
}

interface UpOptions {
  readonly plugins: boolean;
  /** As it was typed. */
  readonly home?: string;
}

async function up(settings: CliSettings, options: UpOptions): Promise<void> {
  const startedMs = performance.now();
  using lock = lockHome(settings.home, 'house');
  const restored = finishRestore(settings.home);
  if (restored !== undefined) note(`a restore that was interrupted is finished; what was there is in ${keptFolder(settings.home, restored)}`);
  const stop = watchForStop();
  const manager = serviceManager();
  const progress = createProgress(process.stderr);
  let house: House | undefined;
  stop.onSecond(() => house?.kill());
  // Until the parts run, what is told of them waits: a start that fails is told in one line, and the logs have the rest.
  const early: (() => void)[] = [];
  const tell = (say: () => void): void => {
    if (house === undefined) early.push(say);
    else say();
  };
  using houseLog = new HouseLog(settings, (text) => tell(() => {
    progress.clear();
    printLine(text);
  }));
  const { log, file: logFile } = houseLog;
  lock.watch(log);
  if (wasCut(settings.home)) log.warn('the last run of the house ended without a stop: it was killed, or the machine lost its power; what was acknowledged is kept');
  log.info(`starting Majordomus ${majordomusVersion}`);
  try {
    house = await House.start({
      settings, log, logFile, plugins: options.plugins, onProgress: progress.step,
      onWait: (reason) => {
        progress.clear();
        note(`waiting for ${reason}`);
        // It may take for ever, which is no failure of this host.
        void manager.tellReady();
      },
      echo: (part, line) => tell(() => echo(progress, part, line)),
    }, stop.signal);
    for (const say of early.splice(0)) say();
    house.onChange((change) => tellChange(progress, change));
    await using client = new Client({ endpoint: connectable(house.endpoint) });
    const isFirst = !wasStarted(settings.home);
    const isOther = tellOfLastStart(settings.home, settings);
    rememberStart(settings.home, settings);
    await settlePlugins(client, settings, options, progress, stop.signal);
    progress.clear();
    if (isOther !== undefined) note(isOther);
    log.info('the house is ready');
    await printWelcome(client, {
      host: settings.host, home: settings.home, endpoint: house.endpoint, primary: house.joined?.host,
      isFirst, homeIsTyped: options.home !== undefined, seconds: (performance.now() - startedMs) / 1000,
    }, stop.signal);
    await manager.tellReady();
    await untilAborted(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    progress.clear();
    if (house !== undefined) {
      note(`\nstopping (${stop.why}); once more to end at once`);
      log.info(`stopping (${stop.why})`);
      await house.stop();
      log.info('the house is stopped');
    }
  }
  note('the house is stopped');
}

/** The first plugin in a new home, and a moment for those that start with the house. A house without plugins runs all the same. */
async function settlePlugins(client: Client, { host, join }: CliSettings, options: { readonly plugins: boolean }, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    if (join !== undefined) await rememberHost(client, host, signal);
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

async function printWelcome(client: Client, facts: Omit<Welcome, 'parts' | 'plugins' | 'nowMs'>, signal: AbortSignal): Promise<void> {
  const { parts } = await client.call(partList, {}, { service: hostService(facts.host, 'house'), signal });
  const plugins = await pluginsOf(client, facts.host, signal).catch((error: unknown) => {
    if (error instanceof CallError) return [];
    throw error;
  });
  printLine(welcomeText({ ...facts, parts, plugins, nowMs: Date.now() }));
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
