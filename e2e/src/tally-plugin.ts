// A plugin that counts itself: who handled a command and when, which command had its effect, and whether another instance of
// it lives. What it writes down lies outside of the house, so that a full disk of the house leaves it alone.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { writeKitPlugin } from './test-plugins.ts';

/** What the command `count` answers. Times are of the machine's monotonic clock, the same for all processes. */
export interface Counted {
  readonly instance: string;
  readonly startedMs: number;
  readonly handledMs: number;
  /** Whether it holds the mark that only one process at a time can hold. */
  readonly holdsMark: boolean;
}

export interface TallyPlugin {
  /** The folder to install. */
  readonly folder: string;
  /** Where it writes the id of each command that it runs, a line each. */
  readonly commandsFile: string;
  /** Where each instance writes for how many milliseconds another one kept it from the mark. */
  readonly marksFile: string;
}

export interface TallyOptions {
  /** A folder outside of the house's disk. */
  readonly notes: string;
  /** The broker that it is to use in place of the house's own address. */
  readonly broker?: string;
  readonly version?: string;
}

export function writeTallyPlugin(home: Home, { notes, broker, version = '1.0.0' }: TallyOptions): TallyPlugin {
  const commandsFile = join(notes, 'commands');
  const marksFile = join(notes, 'marks');
  const folder = writeKitPlugin(home, 'tally', {
    version,
    commands: {
      count: {
        description: 'Counts a command',
        parameters: {
          id: { type: 'string', description: 'Its id', example: 'a-1', required: true },
          pauseMs: { type: 'integer', description: 'How long it takes', default: 0, min: 0 },
          filler: { type: 'string', description: 'What is sent back as it is', default: '' },
        },
      },
    },
    before: `
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
${broker === undefined ? '' : `process.env.DOMUS_BROKER = ${JSON.stringify(broker)};`}
const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
const startedMs = nowMs();
const instance = process.pid + '@' + (process.env.DOMUS_EPOCH ?? startedMs);
let holdsMark = false;
let isKept = false;
// The kernel frees a name of this kind when the process that holds it ends, however it ends.
const takeMark = () => {
  const mark = createServer().unref();
  mark.once('error', () => { isKept = true; setTimeout(takeMark, 10).unref(); });
  mark.listen('\\0majordomus-tally-${randomUUID()}', () => {
    holdsMark = true;
    if (isKept) appendFileSync(${JSON.stringify(marksFile)}, JSON.stringify({ instance, keptMs: nowMs() - startedMs }) + '\\n');
  });
};
takeMark();`,
    definition: `{ helpers: { count: async ({ parameters: { id, pauseMs, filler }, signal }) => {
  const handledMs = nowMs();
  appendFileSync(${JSON.stringify(commandsFile)}, id + '\\n');
  if (pauseMs > 0) await delay(pauseMs, undefined, { signal });
  return { instance, startedMs, handledMs, holdsMark, filler };
} } }`,
  });
  return { folder, commandsFile, marksFile };
}

/** The whole lines of a file that others append to, each once. */
export class NewLines {
  readonly #path: string;
  #read = 0;

  constructor(path: string) {
    this.#path = path;
  }

  take(): string[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    const fresh = lines.slice(this.#read);
    this.#read = lines.length;
    return fresh;
  }
}
