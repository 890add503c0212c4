// The store of a home under write load, as a process that is killed: what it told until then.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as timePasses } from 'node:timers/promises';
import type { Stored } from './ledger.ts';

const program = fileURLToPath(new URL('./write-load.ts', import.meta.url));

/** When the blow falls: so long after the start of the process, or after its first acknowledgement. */
export interface Moment {
  readonly after: 'start' | 'acknowledgement';
  readonly delayMs: number;
}

/** All that it told; a line that the kill cut is not among it. */
export interface Told {
  /** What it found stored, by writer; complete only if `checked`. */
  readonly stored: ReadonlyMap<number, Stored>;
  /** Whether it told all that is stored. */
  readonly checked: boolean;
  /** What the database itself found damaged. */
  readonly damage: readonly string[];
  readonly acknowledged: readonly { readonly writer: number; readonly number: number }[];
  readonly code: number | null;
  readonly errors: string;
}

export interface StoreProcessOptions {
  readonly home: string;
  readonly writers: number;
  /** Without one it only tells what is stored, and ends. */
  readonly kill?: Moment;
  /** Where compiled modules are kept, so that the next start is faster. */
  readonly cache?: string;
}

export async function runStore({ home, writers, kill, cache }: StoreProcessOptions): Promise<Told> {
  const env = { ...process.env, ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) };
  const child = spawn(process.execPath, [program, home, String(writers), ...(kill === undefined ? [] : ['load'])], { env, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let lines = '';
  let errors = '';
  const blow = (delayMs: number): void => void timePasses(delayMs).then(() => child.kill('SIGKILL'));
  let waits = kill?.after === 'acknowledgement';
  child.stderr?.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    lines += bytes.toString('latin1');
    if (!waits || kill === undefined || !/^\d/m.test(lines.slice(lines.lastIndexOf('checked')))) return;
    waits = false;
    blow(kill.delayMs);
  });
  if (kill?.after === 'start') blow(kill.delayMs);
  const [code] = (await closed) as [number | null];
  return { ...read(lines), code, errors };
}

function read(text: string): Omit<Told, 'code' | 'errors'> {
  const stored = new Map<number, Stored>();
  const damage: string[] = [];
  const acknowledged: { writer: number; number: number }[] = [];
  let checked = false;
  for (const line of text.split('\n').slice(0, -1)) {
    const [first = '', second = ''] = line.split(' ', 2);
    if (first === 'stored') stored.set(Number(second), JSON.parse(line.slice(`stored ${second} `.length)) as Stored);
    else if (first === 'damaged') damage.push(line);
    else if (first === 'checked') checked = true;
    else acknowledged.push({ writer: Number(first), number: Number(second) });
  }
  return { stored, checked, damage, acknowledged };
}
