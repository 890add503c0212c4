// The log of one part or plugin, read on from where it was read last: of the running house over the bus, or, while none runs,
// from the files of the home. What runs may be killed and come back meanwhile; no line is shown twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostService, partLog, pluginLog } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import { homePaths } from '@majordomus/runtime';
import type { LoggedPart } from '../parts.ts';
import { linesAfter, LogReader, type LogLine } from './log-lines.ts';

/** As many as one reply holds. */
export const maxLogLines = 1000;
const timeoutMs = 2000;

/** Whose log it is. */
export type LogOwner =
  | { readonly kind: 'part'; readonly name: LoggedPart }
  | { readonly kind: 'plugin'; readonly name: string };

export class FollowedLog {
  readonly owner: LogOwner;
  readonly #reader: LogReader;
  /** Where to read on; undefined if that is not known, at first and when the house was away. */
  #after: number | undefined;
  #seen: string | undefined;

  constructor(owner: LogOwner) {
    this.owner = owner;
    this.#reader = new LogReader(owner.name);
  }

  /** The lines since the last time. @throws CallError */
  async read(client: Client, host: string): Promise<LogLine[]> {
    try {
      const { lines, next } = await this.#ask(client, host);
      const news = this.#after === undefined ? linesAfter(lines, this.#seen) : lines;
      this.#after = next;
      return this.#take(news);
    } catch (error) {
      // Its positions may mean something else when it is back.
      this.#after = undefined;
      throw error;
    }
  }

  /** The same from the files of the home. */
  readFiles(home: string): LogLine[] {
    const file = join(homePaths(home).logs, `${this.owner.name}.log`);
    const lines = [`${file}.1`, file].flatMap((path) => readText(path).split('\n').slice(0, -1));
    return this.#take(linesAfter(lines.slice(-maxLogLines), this.#seen));
  }

  async #ask(client: Client, host: string): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    const request = { lines: maxLogLines, ...(this.#after !== undefined && { after: this.#after }) };
    return this.owner.kind === 'part'
      ? await client.call(partLog, { part: this.owner.name, ...request }, { service: hostService(host, 'house'), timeoutMs })
      : await client.call(pluginLog, { id: this.owner.name, ...request }, { service: hostService(host, 'manager'), timeoutMs });
  }

  #take(lines: readonly string[]): LogLine[] {
    this.#seen = lines.at(-1) ?? this.#seen;
    return this.#reader.read(lines);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
