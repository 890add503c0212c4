// What a home was last started as. The configuration belongs to a host's name and is kept by its house, so a home that is
// started under another name, or in another house, has another configuration; a person is told.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '@majordomus/runtime';
import { z } from 'zod';

const lastStart = z.object({ host: z.string(), join: z.string().optional() });
export type LastStart = z.infer<typeof lastStart>;

/** What a person should know who starts this home as `now`; undefined if it is as it was. */
export function tellOfLastStart(home: string, now: LastStart): string | undefined {
  const last = readLastStart(home);
  if (last === undefined) return undefined;
  if (last.host !== now.host) {
    return `this home was last started as host ${last.host}, and is ${now.host} now: what was configured for ${last.host} does not apply, and its plugins do not start by themselves; "--host ${last.host}" brings it back`;
  }
  if (last.join === now.join) return undefined;
  if (now.join === undefined) return `this home had joined the house at ${last.join}, and is a house of its own now: what was configured there does not apply; "--join ${last.join}" brings it back`;
  if (last.join === undefined) return `this home was a house of its own, and joins the one at ${now.join} now: its own configuration stays in it and does not apply`;
  return `this home had joined the house at ${last.join}, and joins the one at ${now.join} now: if that is another house, it has another configuration`;
}

/** Whether a house ever ran in this home. */
export function wasStarted(home: string): boolean {
  return readLastStart(home) !== undefined;
}

export function rememberStart(home: string, { host, join: endpoint }: LastStart): void {
  try {
    writeFileSync(fileOf(home), `${JSON.stringify({ host, join: endpoint })}\n`);
  } catch {
    // A full disk must not keep a house from its start; the next one then has less to tell.
  }
}

/** As what a home was last started; undefined if it never was. */
export function readLastStart(home: string): LastStart | undefined {
  try {
    return lastStart.parse(JSON.parse(readFileSync(fileOf(home), 'utf8')));
  } catch {
    // A new home has none, and one that cannot be read tells nothing.
    return undefined;
  }
}

function fileOf(home: string): string {
  return join(homePaths(home).run, 'last-start.json');
}
