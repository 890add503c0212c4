// How much memory each plugin may hold, in MiB: what a person has set for it (key `memory-limit-mb.<name>` of the plugin "manager" on
// this host), else what its manifest says, else what holds for all. It counts from a plugin's next start on.
import { configGet, isMemoryLimit, memoryLimitPrefix, memoryLimitRule, type Manifest } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import type { Log } from '@majordomus/runtime';

const owner = 'manager';
const timeoutMs = 3000;
/** What Node takes beside its heap of long-lived objects: itself, the young ones, code, and buffers of a modest plugin. */
const besideHeapMb = 128;

/**
 * The limit of the heap of a Node program whose whole memory is limited, for `--max-old-space-size`: V8 then collects harder
 * as it comes near, and says itself what it ran out of. Half of a small limit.
 */
export function heapLimitMb(limitMb: number): number {
  return Math.max(limitMb - besideHeapMb, Math.floor(limitMb / 2));
}

export interface MemoryLimitsOptions {
  readonly host: string;
  readonly client: Client;
  readonly log: Log;
  /** What holds for all; 0 for none. */
  readonly defaultMb: number;
}

export class MemoryLimits {
  readonly #options: MemoryLimitsOptions;
  #set: Readonly<Record<string, unknown>> = {};

  constructor(options: MemoryLimitsOptions) {
    this.#options = options;
  }

  /** Reads what a person has set; what was known stays while dbmanager does not answer. */
  async read(): Promise<void> {
    const { client, host, log } = this.#options;
    try {
      const reply = await client.call(configGet, { host, plugin: owner }, { timeoutMs });
      this.#set = 'data' in reply ? reply.data : {};
      for (const [key, value] of Object.entries(this.#set)) {
        if (key.startsWith(memoryLimitPrefix) && !isMemoryLimit(value)) log.warn({ value }, `${key} of ${owner} in the configuration is ignored: it ${memoryLimitRule}`);
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  /** The limit of a plugin; undefined for none. */
  limitMb({ name, memoryMb }: Pick<Manifest, 'name' | 'memoryMb'>): number | undefined {
    const set = this.#set[memoryLimitPrefix + name];
    const limitMb = isMemoryLimit(set) ? set : (memoryMb ?? this.#options.defaultMb);
    return limitMb === 0 ? undefined : limitMb;
  }
}
