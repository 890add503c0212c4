// What a person is told of a recovery: what to do first, then what was damaged, what was read, and where the rest comes from.
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

export function recoveryNotice({ path, damage, place, filled, backup }: Story): string {
  const shown = filled.filter(({ table }) => nouns[table] !== undefined);
  const counted = (count: (one: Filled) => number): string => shown.filter((one) => count(one) > 0).map((one) => `${count(one)} ${(count(one) === 1 ? singular : nouns)[one.table]}`).join(', ');
  const read = counted((one) => one.read);
  const remembered = counted(({ fromHistory }) => fromHistory);
  const restored = counted(({ fromBackup }) => fromBackup);
  const holes = shown.filter(({ isWhole }) => !isWhole).map(({ table, lost }) => `${nouns[table]}${lost.length === 0 ? '' : ` (${lost.slice(0, toldAtMost).join(', ')}${lost.length > toldAtMost ? ', …' : ''})`}`);
  const facts = [
    `the database ${path} was damaged (${damage.replaceAll(/\s+/g, ' ').slice(0, 200)})`,
    `recovered: ${read === '' ? 'nothing' : read}`,
    ...(holes.length === 0 ? ['nothing is missing'] : [
      `not all could be read of: ${holes.join(', ')}`,
      ...(remembered === '' ? [] : [`taken from the history: ${remembered}`]),
      backup === undefined ? 'there is no backup to fill it from' : `taken from the backup ${backup}: ${restored === '' ? 'nothing that was missing' : restored}`,
    ]),
    `the damaged files are kept as ${place}`,
  ];
  // Who reads the first words knows what to do.
  return `${holes.length === 0 ? '' : `look through the configuration for what is old or missing (domus config list); ${lostValuesTodo}; `}see that the disk is healthy: ${facts.join('; ')}`;
}
