// What a person is told of a recovery: what to do first, then what was damaged, what was read, and where the rest comes from; and the
// report of each value and schema that was not read, which is kept with the damaged files.
import type { Filled } from './filling.ts';
import { lostValuesTodo } from './notices.ts';

/** What a person calls the rows of a table, and one of them. */
const nouns: Readonly<Record<string, string>> = { config: 'values', plugin_schema: 'schemas of plugins', config_history: 'changes of the history' };
const singular: Readonly<Record<string, string>> = { config: 'value', plugin_schema: 'schema of a plugin', config_history: 'change of the history' };
const toldAtMost = 10;

export interface Story {
  readonly path: string;
  /** In SQLite's words. */
  readonly damage: string;
  /** Where the damaged files are. */
  readonly place: string;
  readonly filled: readonly Filled[];
  /** The name of the backup that was used; undefined if there is none. */
  readonly backup: string | undefined;
}

export function recoveryNotice(story: Story): string {
  const { path, damage, place, filled, backup } = story;
  const shown = filled.filter(({ table }) => nouns[table] !== undefined);
  const read = shown.filter((one) => one.read > 0).map((one) => counted(one.table, one.read)).join(', ');
  const remembered = shown.filter(({ fromHistory }) => fromHistory.length > 0).map(({ table, fromHistory }) => counted(table, fromHistory.length)).join(', ');
  const restored = shown.filter(({ fromBackup }) => fromBackup.length > 0).map(({ table, fromBackup }) => `${counted(table, fromBackup.length)}${isUnnamed(table) ? '' : some(fromBackup)}`).join(', ');
  const holes = shown.filter(({ isWhole }) => !isWhole).map(({ table, lost }) => `${nouns[table]}${some(lost)}`);
  const facts = [
    `the database ${path} was damaged (${damage.replaceAll(/\s+/g, ' ').slice(0, 200)})`,
    `recovered: ${read === '' ? 'nothing' : read}`,
    ...(holes.length === 0 ? ['all that is in it could be read'] : [
      `not all could be read of: ${holes.join(', ')}`,
      ...(remembered === '' ? [] : [`taken from the history: ${remembered}`]),
      backup === undefined ? 'there is no backup to fill it from' : `taken from the backup ${backup}: ${restored === '' ? 'nothing that was missing' : `${restored}; what was deleted after it was made may be among them${recoveryReport(story) === undefined ? '' : `; each is named in ${reportFile(place)}`}`}`,
    ]),
    `the damaged files are kept as ${place}`,
  ];
  // Who reads the first words knows what to do.
  return `${holes.length === 0 ? '' : `look through the configuration for what is old or missing (domus config list); ${lostValuesTodo}; `}see that the disk is healthy: ${facts.join('; ')}`;
}

/** Where the report of a recovery is. @param place where the damaged files are */
export function reportFile(place: string): string {
  return `${place}.report`;
}

/** Each value and schema that was not read, and where it comes from; undefined if none comes from a backup. */
export function recoveryReport({ filled, backup }: Pick<Story, 'filled' | 'backup'>): string | undefined {
  const named = filled.filter(({ table }) => nouns[table] !== undefined && !isUnnamed(table));
  if (backup === undefined || named.every(({ fromBackup }) => fromBackup.length === 0)) return undefined;
  const part = (source: string, table: string, names: readonly string[]): string[] => (names.length === 0 ? [] : [[`from ${source}: ${counted(table, names.length)}`, ...names, ''].join('\n')]);
  return [
    ...named.flatMap(({ table, fromHistory }) => part('the history', table, fromHistory)),
    ...named.flatMap(({ table, fromBackup }) => part(`the backup ${backup}`, table, fromBackup)),
  ].join('\n');
}

/** A change has a number alone. */
function isUnnamed(table: string): boolean {
  return table === 'config_history';
}

function counted(table: string, count: number): string {
  return `${count} ${(count === 1 ? singular : nouns)[table]}`;
}

/** The first of some names, in brackets; nothing if there are none. */
function some(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${names.slice(0, toldAtMost).join(', ')}${names.length > toldAtMost ? ', …' : ''})`;
}
