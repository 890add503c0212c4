// What the supervisor runs for a plugin. The supervisor reads it anew at each start, so a plugin goes over to the version
// that is installed by then.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stopPlugin, type OutputOf, type packageDetail } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { epochFrom, epochVariable } from '@majordomus/runtime';
import type { ProcessSpec } from '@majordomus/supervisor';
import type { Epochs } from './epochs.ts';
import { heapLimitMb, type MemoryLimits } from './memory-limits.ts';

export type PackageDetail = OutputOf<typeof packageDetail>;

const callTimeoutMs = 1000;
/** Each start waits for it where there is no broker. */
const epochTimeoutMs = 500;

export class PluginProgram implements ProcessSpec {
  readonly name: string;
  readonly env: ProcessSpec['env'];
  readonly #epochs: Epochs;
  readonly #service: string;
  readonly #client: Client;
  readonly #memoryLimits: MemoryLimits;
  #detail: PackageDetail;

  constructor(detail: PackageDetail, service: string, client: Client, env: ProcessSpec['env'], memoryLimits: MemoryLimits, epochs: Epochs) {
    this.name = detail.name;
    this.env = env;
    this.#epochs = epochs;
    this.#service = service;
    this.#client = client;
    this.#memoryLimits = memoryLimits;
    this.#detail = detail;
  }

  get version(): string {
    return this.#detail.version;
  }

  get command(): readonly string[] {
    const { folder, manifest: { main, exec: [program = '', ...args] = [] } } = this.#detail;
    if (main !== undefined) return [process.execPath, ...this.#heapLimit(), join(folder, main)];
    const own = join(folder, program);
    return [existsSync(own) ? own : program, ...args];
  }

  get memoryLimitMb(): number | undefined {
    return this.#memoryLimits.limitMb(this.#detail.manifest);
  }

  get cwd(): string {
    return this.#detail.folder;
  }

  #heapLimit(): readonly string[] {
    const limitMb = this.memoryLimitMb;
    return limitMb === undefined ? [] : [`--max-old-space-size=${heapLimitMb(limitMb)}`];
  }

  /** From its next start on it is this version. */
  use(detail: PackageDetail): void {
    this.#detail = detail;
  }

  /** The epoch of one more start, above that of any instance that the broker has seen, also of one that was run by hand. */
  readonly prepare = async (): Promise<ProcessSpec['env']> =>
    ({ [epochVariable]: String(await this.#epochs.next(this.name, await this.#seenEpoch())) });

  readonly askStop = async (signal: AbortSignal): Promise<void> => {
    await this.#client.call(stopPlugin, {}, { service: this.#service, timeoutMs: callTimeoutMs, signal });
  };

  readonly isRegistered = async (): Promise<boolean> =>
    (await this.#client.manage('mmi.service', this.#service, { timeoutMs: callTimeoutMs })) === '200';

  /** Undefined if there is none, or without a broker. */
  async #seenEpoch(): Promise<number | undefined> {
    try {
      return epochFrom(await this.#client.manage('mmi.epoch', this.#service, { timeoutMs: epochTimeoutMs }));
    } catch (error) {
      if (error instanceof CallError) return undefined;
      throw error;
    }
  }
}
