// What the compiler leaves to be done in a file that it has made: names of the workspace become paths, and names of sources
// become those of what was made of them. Pure: text in, text out.
import { posix } from 'node:path';

/** What an import can name a package of the workspace in: `from '@majordomus/mq'`, `import('@majordomus/mq')`. Not in a comment. */
const workspaceImport = /(?<=^(?![\t ]*(?:\*|\/\/)).*\b(?:from |import |import\())(['"])(@majordomus\/[a-z-]+)\1/gm;
/** The compiler makes `./x.js` of `./x.ts` in JavaScript, but not in declarations. */
const sourceImport = /(?<=^(?![\t ]*(?:\*|\/\/)).*\b(?:from |import |import\())(['"])(\.{1,2}\/[^'"]+)\.ts\1/gm;
/** Programs and threads beside a module: `new URL('./store-thread.ts', import.meta.url)`. */
const sourceUrl = /(?<=\bnew URL\()(['"`])([^'"`]+)\.ts\1(?=, import\.meta\.url\))/g;

/**
 * Finishes an emitted file.
 * @param path where it stands, from the top of the package
 * @param entries the entry of each workspace package that is part of the package, by its name, from the top
 */
export function finishEmitted(text: string, path: string, entries: ReadonlyMap<string, string>): string {
  return text
    .replaceAll(workspaceImport, (whole, quote: string, name: string) => {
      const entry = entries.get(name);
      return entry === undefined ? whole : `${quote}${relativeImport(path, entry)}${quote}`;
    })
    .replaceAll(sourceImport, '$1$2.js$1')
    .replaceAll(sourceUrl, '$1$2.js$1');
}

/** Lines of an emitted file that still name a source: nothing of the kind is in the package. */
export function unfinishedLines(text: string): string[] {
  return text.split('\n').filter((line) => /import\.meta\b.*[\w}]\.ts['"`]|[\w}]\.ts['"`].*import\.meta\b/.test(line));
}

/** A module's sources in a package.json or plugin.json: `./src/main.ts` is `./src/main.js`. */
export function emittedName(source: string): string {
  return source.replace(/\.ts$/, '.js');
}

function relativeImport(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}
