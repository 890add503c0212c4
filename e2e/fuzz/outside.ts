// Nothing is written outside the home: what stands beside it, its content and its places, before and after.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every file, link and folder below `root` with what it holds, but what is in `except`. */
export function placesIn(root: string, except: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  const visit = (path: string): void => {
    if (except.includes(path)) return;
    const stat = lstatSync(path);
    const what = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? `link to ${readlinkSync(path)}` : stat.isFile() ? `file ${createHash('sha256').update(readFileSync(path)).digest('hex')}` : 'something else';
    places.set(relative(root, path), `${what}, mode ${(stat.mode & 0o7777).toString(8)}`);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(root);
  return places;
}

/** What is not as it was, as a sentence; undefined if all is. */
export function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string | undefined {
  for (const [path, what] of after) {
    const was = before.get(path);
    if (was !== what) return `outside the home, ${path} is ${what}, and was ${was ?? 'not there'}`;
  }
  const gone = [...before.keys()].find((path) => !after.has(path));
  return gone === undefined ? undefined : `outside the home, ${gone} is gone`;
}
