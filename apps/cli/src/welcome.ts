// What a person reads when the house is ready: what runs, where its files are, and, the first time in a home, what to try and
// where to read on. Pure, but for the colours of a terminal.
import { hostService, type PartStatus, type PluginStatus } from '@majordomus/contracts';
import { homePaths, majordomusVersion } from '@majordomus/runtime';
import { styled } from './output.ts';
import { typedCommand } from './own-files.ts';
import { shellWord } from './shell-word.ts';
import { statusTable } from './status-table.ts';

export interface Welcome {
  readonly host: string;
  readonly home: string;
  /** Where the broker listens. */
  readonly endpoint: string;
  /** The primary host of the house elsewhere that this host has joined. */
  readonly primary: string | undefined;
  readonly parts: readonly PartStatus[];
  readonly plugins: readonly PluginStatus[];
  /** Whether nothing ever ran in this home before. */
  readonly isFirst: boolean;
  /** Then it must be typed for the other commands too. */
  readonly homeIsTyped: boolean;
  /** How long the start took. */
  readonly seconds: number;
  readonly nowMs: number;
}

/** The last line says that the house is ready; whoever waits for a house waits for it. */
export function welcomeText(welcome: Welcome): string {
  const { host, home, endpoint, primary, parts, plugins, isFirst, seconds, nowMs } = welcome;
  return [
    ...(isFirst ? [styled('bold', 'Welcome. This is your house:'), ''] : []),
    statusTable(parts, plugins, nowMs),
    '',
    ...facts([
      ['Host', host], ['Home', home], ...(isFirst ? [['Logs', homePaths(home).logs] as const] : []), ['Broker', endpoint],
      ...(primary === undefined ? [] : [['Joined', `the house of ${primary}`] as const]),
    ]),
    '',
    ...(isFirst ? [...thingsToTry(welcome), ''] : []),
    styled('bold', `Majordomus ${majordomusVersion} is ready after ${seconds.toFixed(1)} s. Ctrl-C stops it.`),
  ].join('\n');
}

function thingsToTry({ host, home, plugins, homeIsTyped }: Welcome): string[] {
  const domus = homeIsTyped ? `${typedCommand} --home ${shellWord(home)}` : typedCommand;
  const hasDiskfree = plugins.some(({ name }) => name === 'diskfree');
  const things = hasDiskfree
    ? [
      ['See how everything is', 'status'],
      ['Ask how full the disks are', `call ${hostService(host, 'diskfree')} helper.do command=list`],
      ['Say what is too full', 'config set diskfree limit 80'],
    ] as const
    : [
      ['See how everything is', 'status'],
      ['See who is on the bus', 'services'],
      ['Install a first plugin', 'plugin install diskfree'],
    ] as const;
  return [
    'Three things to try, in another terminal:',
    ...facts(things.map(([what, command]) => [what, `${domus} ${command}`])).map((line) => `  ${line}`),
    `${typedCommand === './domus' ? 'README.md shows more of it, docs/ how it is run, extended and built' : `${typedCommand} --help shows more of it`}.`,
  ];
}

/** What something is, and what it is called, in two columns. */
function facts(rows: readonly (readonly [what: string, value: string])[]): string[] {
  const width = Math.max(6, ...rows.map(([what]) => what.length));
  return rows.map(([what, value]) => `${styled('dim', what.padEnd(width))}   ${value}`);
}
