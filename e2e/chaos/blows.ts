// Carries out the blows of a schedule on a real house. A blow ends when the house has again all that it needs to be whole.
import { setTimeout as delay } from 'node:timers/promises';
import type { HouseProcess } from '../src/house-processes.ts';
import { spoilFsync, type FsyncFault } from './bad-fsync.ts';
import type { BusProxy } from './bus-proxy.ts';
import { sendGarbage } from './garbage.ts';
import type { Blow, Target } from './schedule.ts';
import type { StandingHouse } from './standing-house.ts';
import type { Tmpfs } from './tmpfs.ts';

export interface Battlefield {
  readonly house: StandingHouse;
  readonly processOf: (name: string) => HouseProcess | undefined;
  readonly disk: Tmpfs | undefined;
  readonly proxy: BusProxy;
  readonly brokerPort: number;
}

/** A target that is just being started again is awaited for so long. */
const targetLimitMs = 3000;
const pollMs = 20;

/** What there is to tell of it beside the blow itself: whom it met, or that it met nobody. */
export async function strike(blow: Blow, field: Battlefield): Promise<string> {
  switch (blow.kind) {
    case 'kill':
      return await signal(blow.target, 'SIGKILL', field);
    case 'order':
      return await signal('broker', 'SIGTERM', field);
    case 'stop':
      return await suspend(blow.target, blow.forMs, field);
    case 'up': {
      const { pid } = field.house;
      field.house.kill();
      return `pid ${pid}`;
    }
    case 'full':
      field.disk?.fill();
      await delay(blow.forMs);
      field.disk?.free();
      return '';
    case 'slow':
      return await spoil({ delayMs: blow.delayMs }, blow.forMs, field);
    case 'broken':
      return await spoil({ error: 'EIO' }, blow.forMs, field);
    case 'garbage':
      await sendGarbage(field.brokerPort, blow.what, blow.connections);
      return '';
    case 'reset':
      return `${field.proxy.reset()} ends`;
    default:
      return blow satisfies never;
  }
}

async function find(target: Target, { processOf }: Battlefield): Promise<HouseProcess | undefined> {
  const untilMs = performance.now() + targetLimitMs;
  for (;;) {
    const process = processOf(target);
    if (process !== undefined || performance.now() > untilMs) return process;
    await delay(pollMs);
  }
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    // It has just ended.
    return false;
  }
}

async function signal(target: Target, name: NodeJS.Signals, field: Battlefield): Promise<string> {
  const found = await find(target, field);
  return found !== undefined && send(found.pid, name) ? `pid ${found.pid}` : 'it does not run';
}

async function suspend(target: Target, forMs: number, field: Battlefield): Promise<string> {
  const found = await find(target, field);
  if (found === undefined || !send(found.pid, 'SIGSTOP')) return 'it does not run';
  try {
    await delay(forMs);
  } finally {
    if (field.processOf(target)?.identity === found.identity) send(found.pid, 'SIGCONT');
  }
  return `pid ${found.pid}`;
}

async function spoil(fault: FsyncFault, forMs: number, field: Battlefield): Promise<string> {
  const found = await find('dbmanager', field);
  const letGo = found === undefined ? undefined : await spoilFsync(found.pid, fault);
  if (letGo === undefined) return 'dbmanager does not run';
  await delay(forMs);
  await letGo();
  return `pid ${found?.pid ?? 0}`;
}
