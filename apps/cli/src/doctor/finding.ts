// What doctor finds: one line each, ok or what to do.
import { typedCommand } from '../own-files.ts';
import { shellWord } from '../shell-word.ts';
import type { RunningHouse, SilentHouse } from '../running-house.ts';
import type { CliSettings } from '../session.ts';

export interface Finding {
  /** What was looked at: `node`, `port`, `database`. */
  readonly what: string;
  /** A note is worth knowing, and nothing that has to be mended. */
  readonly state: 'ok' | 'note' | 'problem';
  readonly text: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** What the checks are about. */
export interface Patient {
  readonly home: string;
  readonly host: string;
  /** Undefined while they are wrong; then there is nothing to be said of where the house would listen. */
  readonly settings: CliSettings | undefined;
  /** The house that runs on the home. */
  readonly running: RunningHouse | undefined;
  /** One that runs on the home and does not tell where. */
  readonly silent: SilentHouse | undefined;
  /** The broker of the house that runs on the home or was named. */
  readonly broker: string | undefined;
  /** Which house and host was named by whoever asks: what they are told to type names it, too. */
  readonly named: { readonly home?: string | undefined; readonly host?: string | undefined; readonly broker?: string | undefined };
}

/** A command that a person is to type, for the same house; on another host if one is given. */
export function domus({ named }: Pick<Patient, 'named'>, words: string, host: string | undefined = named.host): string {
  const flags = Object.entries({ ...named, host }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${shellWord(value)}`]));
  return [typedCommand, words, ...flags].join(' ');
}

export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
export const noted = (what: string, text: string, todo?: string): Finding => ({ what, state: 'note', text, ...(todo !== undefined && { todo }) });
export const problem = (what: string, text: string, todo: string): Finding => ({ what, state: 'problem', text, todo });
