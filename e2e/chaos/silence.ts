// Whether a part or a plugin was down in silence. Pure: it is given what the house said of its processes, beside what the kernel
// said of them before the house was asked. The house has some time to notice; then it must say it.
import type { ProcessState } from '@majordomus/contracts';
import { judgeTime, type Complaint, type WaitedSince } from './waits.ts';

export interface Said {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly reason: string;
  readonly lastError: string;
}

/** How the process that was named was, by the kernel. */
export type Life = 'alive' | 'suspended' | 'dead';

interface Lie {
  readonly pid: number | null;
  readonly life: Life;
  readonly sinceMs: number;
}

/** Until the house must have noticed: an end is told to it by the kernel; of a hang it knows after 10 s of silence. */
const noticeMs: Readonly<Record<Exclude<Life, 'alive'>, number>> = { dead: 1500, suspended: 12_500 };
/** One that cannot say how it is was no witness for a while. */
const gapMs = 1500;
const needsReason: readonly ProcessState[] = ['not-ready', 'backoff', 'failed'];

export class SilenceWitness {
  #lies = new Map<string, Lie>();
  #lastMs = -Infinity;
  #statuses = 0;

  get statuses(): number {
    return this.#statuses;
  }

  /** `lifeOf` was taken before the house was asked. Who has no processor cannot notice anything. */
  heard(all: readonly Said[], lifeOf: (pid: number) => Life, atMs: number, waitedSince: WaitedSince): Complaint | undefined {
    this.#statuses += 1;
    const isGap = judgeTime(atMs - this.#lastMs, gapMs, waitedSince(this.#lastMs)) !== 'held';
    const before = isGap ? new Map<string, Lie>() : this.#lies;
    this.#lastMs = atMs;
    this.#lies = new Map();
    for (const said of all) {
      const { name, state, pid, reason, lastError } = said;
      if (needsReason.includes(state) && reason === '' && lastError === '') return { verdict: 'broken', what: `${name} is ${state}, and nothing says why` };
      const life = pid === null ? 'dead' : lifeOf(pid);
      if (state !== 'running' || life === 'alive') continue;
      const known = before.get(name);
      const lie: Lie = known?.pid === pid && known.life === life ? known : { pid, life, sinceMs: atMs };
      this.#lies.set(name, lie);
      const verdict = judgeTime(atMs - lie.sinceMs, noticeMs[life], waitedSince(lie.sinceMs));
      if (verdict !== 'held') return { verdict, what: `${name} is said to run, and its process ${pid} is ${life} for ${Math.round(atMs - lie.sinceMs)} ms` };
    }
    return undefined;
  }
}
