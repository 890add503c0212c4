// What `domus logs` and `domus plugin log` do: several logs as one, printed and followed, of the running house or from the files
// of the home.
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { CallError, Client, PeerError } from '@majordomus/mq';
import { CommandError } from '../failure.ts';
import { assertHost } from '../hosts.ts';
import { note, printLine, styled } from '../output.ts';
import { outputClosed } from '../output-closed.ts';
import type { CommandContext } from '../program.ts';
import { readRunning } from '../running-house.ts';
import type { CliSettings } from '../session.ts';
import { FollowedLog, maxLogLines, type LogOwner } from './followed-log.ts';
import { interleave, isAtLeast, logLevels, type LogLevel, type LogLine } from './log-lines.ts';
import { knownNames } from './log-owners.ts';

const followIntervalMs = 500;
const defaultLines = 50;
const nameStyles = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'cyanBright', 'yellowBright', 'greenBright', 'magentaBright', 'blueBright'] as const;

export interface LogsOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly level: LogLevel;
  readonly json?: boolean;
}

/** Who asks for logs, and where. */
export interface LogsAsked {
  readonly host: string;
  /** Undefined while no house runs. */
  readonly client: Client | undefined;
  /** The names of all logs there are. */
  readonly known: readonly string[];
}

/** The options of every command that shows logs. */
export function addLogsOptions(command: Command): Command {
  return command
    .option('-n, --lines <number>', 'how many of the last lines, of all together', lineCount, defaultLines)
    .option('-f, --follow', 'go on with what comes')
    .addOption(new Option('--level <level>', 'only what is at least so severe').choices(logLevels).default('trace'))
    .option('--json', 'a JSON object a line');
}

/** Shows the logs that are chosen once it is known which there are. @throws CallError, and what `choose` throws */
export async function showLogs({ settings, houseSettings }: CommandContext, command: Command, options: LogsOptions, choose: (asked: LogsAsked) => readonly LogOwner[] | Promise<readonly LogOwner[]>): Promise<void> {
  await new ShownLogs(() => houseAt(settings, command), () => houseSettings(command), options).run(choose);
}

/** The settings of the house that runs, or undefined. */
function houseAt(settings: CommandContext['settings'], command: Command): CliSettings | undefined {
  try {
    return settings(command);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

class ShownLogs {
  readonly #house: () => CliSettings | undefined;
  readonly #options: LogsOptions;
  #logs: FollowedLog[] = [];
  #print: (lines: readonly LogLine[]) => void = () => {};
  #client: Client | undefined;
  #host: string;
  readonly #home: string;
  /** Whether the files of the home are the logs of that host. */
  readonly #hasFiles: boolean;

  constructor(house: () => CliSettings | undefined, own: () => CliSettings, options: LogsOptions) {
    this.#house = house;
    this.#options = options;
    const settings = house() ?? own();
    this.#host = settings.host;
    this.#home = settings.home;
    const runs = readRunning(settings.home);
    this.#hasFiles = this.#house() === undefined || runs?.host === settings.host;
  }

  async run(choose: (asked: LogsAsked) => readonly LogOwner[] | Promise<readonly LogOwner[]>): Promise<void> {
    const { lines, level, follow, json } = this.#options;
    try {
      this.#connect();
      if (this.#client !== undefined && !this.#hasFiles) await assertHost(this.#client, this.#host);
      const known = await knownNames(this.#client, this.#host, this.#hasFiles ? this.#home : undefined);
      const owners = await choose({ host: this.#host, client: this.#client, known });
      this.#logs = owners.map((owner) => new FollowedLog(owner));
      this.#print = json === true ? printJsonLines : printer(owners.map(({ name }) => name));
      const begin = (await this.#readAll()).filter((line) => isAtLeast(line, level));
      if (begin.length === 0 && this.#client === undefined) note(`there are no logs in ${this.#home}; did a house ever run on it?`);
      this.#print(lines === 0 ? [] : begin.slice(-lines));
      if (follow === true) await this.#follow();
    } finally {
      await this.#client?.close();
    }
  }

  /** Goes on over everything that happens to the house, until nobody reads any more. */
  async #follow(): Promise<void> {
    let isAway = this.#client === undefined;
    if (isAway) note(`no house runs on ${this.#home}; waiting for one`);
    const closed = outputClosed();
    while (!closed.aborted) {
      await delay(followIntervalMs);
      if (this.#client === undefined) this.#connect();
      const found = this.#client === undefined ? undefined : await this.#readBus();
      if (found === undefined) {
        if (!isAway) note('the house does not answer; waiting for it');
        isAway = true;
        // It may come back at another address.
        await this.#client?.close();
        this.#client = undefined;
        continue;
      }
      if (isAway) note('the house is there');
      isAway = false;
      this.#print(found.filter((line) => isAtLeast(line, this.#options.level)));
    }
  }

  #connect(): void {
    const house = this.#house();
    if (house === undefined) return;
    this.#client = new Client({ endpoint: house.broker });
    this.#host = house.host;
  }

  /** What there is now: from the bus, and of those that do not answer there from their files. */
  async #readAll(): Promise<LogLine[]> {
    const client = this.#client;
    return interleave(await Promise.all(this.#logs.map(async (log) => {
      if (client === undefined) return log.readFiles(this.#home);
      try {
        return await log.read(client, this.#host);
      } catch (error) {
        // What runs on another host has no file here, and neither has a part that this one does not run.
        if (!(error instanceof CallError) || !this.#hasFiles || log.owner.name.includes('.') || error.code === 'PART_NOT_FOUND') throw error;
        return log.readFiles(this.#home);
      }
    })));
  }

  /** What came since; undefined if nobody answered. */
  async #readBus(): Promise<LogLine[] | undefined> {
    const client = this.#client;
    if (client === undefined) return undefined;
    const read = await Promise.all(this.#logs.map(async (log) => {
      try {
        return await log.read(client, this.#host);
      } catch (error) {
        if (error instanceof PeerError && (error.code === 'PLUGIN_NOT_FOUND' || error.code === 'PART_NOT_FOUND')) return [];
        if (error instanceof CallError) return undefined;
        throw error;
      }
    }));
    const found = read.filter((lines) => lines !== undefined);
    return found.length === 0 && read.length > 0 ? undefined : interleave(found);
  }
}

/** Each name in its colour, at the beginning of its lines; one alone needs none. */
function printer(names: readonly string[]): (lines: readonly LogLine[]) => void {
  const width = Math.max(0, ...names.map((name) => name.length));
  const styles = new Map(names.map((name, index) => [name, nameStyles[index % nameStyles.length] ?? 'cyan']));
  return (lines) => {
    for (const { name, level, text } of lines) {
      const begin = names.length > 1 ? `${styled(styles.get(name) ?? 'cyan', `${name.padEnd(width)} |`)} ` : '';
      const isWorse = level === 'error' || level === 'fatal';
      printLine(begin + (isWorse || level === 'warn' ? styled(isWorse ? 'red' : 'yellow', text) : text));
    }
  };
}

function printJsonLines(lines: readonly LogLine[]): void {
  for (const line of lines) printLine(JSON.stringify(line));
}

function lineCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > maxLogLines) throw new InvalidArgumentError(`It must be a whole number from 0 to ${maxLogLines}.`);
  return count;
}
