// How much memory a process holds once it has collected its garbage. settle.ts, preloaded into every process of Node, collects
// when it is asked by a signal, and writes what is left; what is no Node is measured as it is.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../src/waiting.ts';

export interface Memory {
  readonly name: string;
  readonly pid: number;
  /** Resident bytes, as the kernel counts. */
  readonly residentBytes: number;
  /** Bytes of objects and buffers in the main thread; undefined for what is no Node. */
  readonly heldBytes: number | undefined;
}

/** What a process may hold more after its warm-up: objects are counted exactly; of pages V8 may keep what one burst has needed. */
const margins = { heldBytes: 12 * 2 ** 20, residentBytes: 192 * 2 ** 20 } as const;

const settleFile = fileURLToPath(new URL('settle.ts', import.meta.url));

/** The environment of processes whose memory can be measured. */
export function settling(folder: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${settleFile}`, FUZZ_SETTLE_FOLDER: folder };
}

/** Has the processes collect their garbage, and measures them. */
export async function measure(pids: Readonly<Record<string, number>>, folder: string): Promise<Memory[]> {
  return await Promise.all(Object.entries(pids).map(async ([name, pid]) => {
    const held = existsSync(join(folder, `${pid}.settles`)) ? await settle(pid, folder) : undefined;
    return { name, pid, residentBytes: residentBytes(pid), heldBytes: held };
  }));
}

async function settle(pid: number, folder: string): Promise<number> {
  const file = join(folder, `${pid}.held`);
  let held = 0;
  // What is held only by what waits for the next turn is let go of in the second round.
  for (let round = 0; round < 2; round += 1) {
    rmSync(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    held = await until(`process ${pid} has collected its garbage`, () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined), { limitMs: 30_000 });
  }
  return held;
}

function residentBytes(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** What grew beyond the margins, as a sentence; undefined if nothing did. */
export function growth(before: readonly Memory[], after: readonly Memory[], allowed: { readonly heldBytes: number; readonly residentBytes: number } = margins): string | undefined {
  for (const now of after) {
    const then = before.find(({ pid }) => pid === now.pid);
    if (then === undefined) continue;
    const held = (now.heldBytes ?? 0) - (then.heldBytes ?? 0);
    const resident = now.residentBytes - then.residentBytes;
    if (held > allowed.heldBytes || resident > allowed.residentBytes) {
      return `${now.name} (pid ${now.pid}) holds ${mib(held)} more in objects (${mib(allowed.heldBytes)} are allowed) and ${mib(resident)} more in memory (${mib(allowed.residentBytes)}) than after the warm-up`;
    }
  }
  return undefined;
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
