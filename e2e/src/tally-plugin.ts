// A plugin that counts itself: who handled a command and when, which command had its effect, and whether another instance of
// it lives. What it writes down lies outside of the house, so that a full disk of the house leaves it alone.
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { JsonValue } from '@majordomus/contracts';
import type { Home } from './home.ts';
import { readOn } from './read-on.ts';
import { writeKitPlugin } from './test-plugins.ts';

/** What the command `count` answers. Times are of the machine's monotonic clock, the same for all processes. */
export interface Counted {
  readonly instance: string;
  readonly startedMs: number;
  readonly handledMs: number;
}

/** What `count` gave; fails if it is anything else. */
export function countedOf(result: JsonValue): Counted {
  assert.ok(typeof result === 'object' && result !== null && !Array.isArray(result), `tally answered ${JSON.stringify(result)}`);
  const { instance, startedMs, handledMs } = result;
  assert.ok(typeof instance === 'string' && typeof startedMs === 'number' && typeof handledMs === 'number', `tally answered ${JSON.stringify(result)}`);
  return { instance, startedMs, handledMs };
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
let isKept = false;
// The kernel frees a name of this kind when the process that holds it ends, however it ends.
const takeMark = () => {
  const mark = createServer().unref();
  mark.once('error', () => { isKept = true; setTimeout(takeMark, 10).unref(); });
  mark.listen('\\0majordomus-tally-${randomUUID()}', () => {
    if (isKept) appendFileSync(${JSON.stringify(marksFile)}, JSON.stringify({ instance, keptMs: nowMs() - startedMs }) + '\\n');
  });
};
takeMark();`,
    definition: `{ helpers: { count: async ({ parameters: { id, pauseMs, filler }, signal }) => {
  const handledMs = nowMs();
  appendFileSync(${JSON.stringify(commandsFile)}, id + '\\n');
  if (pauseMs > 0) await delay(pauseMs, undefined, { signal });
  return { instance, startedMs, handledMs, filler };
} } }`,
  });
  return { folder, commandsFile, marksFile };
}

/** The whole lines of a file that others append to, each once. */
export class NewLines {
  readonly #path: string;
  #nextByte = 0;

  constructor(path: string) {
    this.#path = path;
  }

  take(): string[] {
    const part = readOn(this.#path, () => this.#nextByte);
    this.#nextByte = part?.nextByte ?? 0;
    return (part?.text ?? '').split('\n').slice(0, -1);
  }
}
