// A program of its own that asks the disks: one line of JSON when it begins, and one for each path of its arguments, in the
// order in which they answer. A disk that hangs (a dead NFS server, a dying drive) holds a thread of whoever asks it until it
// answers, and a process with such a thread cannot even exit by itself; so it is this process that hangs, and not the plugin.
import { realpath, statfs } from 'node:fs/promises';
import { spaceOf } from './space.ts';

// It has started: only from here on is it the disks that take their time.
process.stdout.write('{"index":-1}\n');
await Promise.all(
  process.argv.slice(2).map(async (path, index) => {
    process.stdout.write(`${JSON.stringify({ index, ...(await ask(path)) })}\n`);
  }),
);

async function ask(path: string): Promise<object> {
  try {
    return { realPath: await realpath(path), space: spaceOf(await statfs(path, { bigint: true })) };
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}
