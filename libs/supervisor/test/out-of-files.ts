// A supervising process that has no free file descriptor while its child ends and its memory is looked at; it prints what became of
// both. Its argument is a JSON object. It is to be run with a low limit of open files.
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '@majordomus/runtime';
import { Supervisor } from '../src/index.ts';
import { MemoryTable } from '../src/memory-table.ts';
import { guardOf } from './guard-of.ts';
import type { HostArguments } from './host.ts';

/** What it prints. */
export interface OutOfFilesReport {
  readonly guarded: boolean;
  /** The memory that was known meanwhile. */
  readonly whileNone: readonly unknown[];
  readonly state: string;
  readonly lastError: string;
  /** Of how many processes the memory is known afterwards. */
  readonly after: number;
}

const { options, program, cwd } = JSON.parse(process.argv[2] ?? '') as HostArguments;
const supervisor = await Supervisor.open({ ...options, log: silentLog });
supervisor.add({ name: 'child', command: [process.execPath, program], cwd, env: process.env });
supervisor.start('child');
const { pid } = await supervisor.settled('child');
const table = new MemoryTable();
const owners = new Map([[pid ?? 0, { withDescendants: true }]]);
await table.heldBytes(owners);

const guard = guardOf(process.pid);

const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  // That was the last.
}
const whileNone = await table.heldBytes(owners);
if (guard !== undefined) process.kill(guard, 'SIGKILL');
// Longer than from one look of the supervisor at the memory to the next, and than the pause before another guard.
await delay(1200);
process.kill(pid ?? 0, 'SIGKILL');
const { state } = await supervisor.until('child', ['backoff', 'failed']);
const { lastError } = supervisor.get('child');

for (const file of taken) closeSync(file);
supervisor.start('child');
const again = await supervisor.ready('child');
const after = await table.heldBytes(new Map([[again.pid ?? 0, { withDescendants: true }]]));
const report: OutOfFilesReport = { guarded: guard !== undefined, whileNone: [...whileNone], state, lastError, after: after.size };
process.stdout.write(`${JSON.stringify(report)}\n`);
await supervisor[Symbol.asyncDispose]();
