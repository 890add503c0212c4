// What the supervisor runs for a plugin. The supervisor reads it anew at each start, so a plugin goes over to the version
// that is installed by then.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stopPlugin, type OutputOf, type packageDetail } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import { epochVariable } from '@majordomus/runtime';
import type { ProcessSpec } from '@majordomus/supervisor';
import type { Epochs } from './epochs.ts';
import { heapLimitMb, type MemoryLimits } from './memory-limits.ts';

export type PackageDetail = OutputOf<typeof packageDetail>;

const callTimeoutMs = 1000;

export class PluginProgram implements ProcessSpec {
  readonly name: string;
  readonly #env: ProcessSpec['env'];
  readonly #epochs: Epochs;
  readonly #service: string;
  readonly #client: Client;
  readonly #memoryLimits: MemoryLimits;
  #detail: PackageDetail;

  constructor(detail: PackageDetail, service: string, client: Client, env: ProcessSpec['env'], memoryLimits: MemoryLimits, epochs: Epochs) {
    this.name = detail.name;
    this.#env = env;
    this.#epochs = epochs;
    this.#service = service;
    this.#client = client;
    this.#memoryLimits = memoryLimits;
    this.#detail = detail;
  }

  /** Each time with the epoch of one more start. */
  get env(): ProcessSpec['env'] {
    return { ...this.#env, [epochVariable]: String(this.#epochs.next(this.name)) };
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

  readonly askStop = async (signal: AbortSignal): Promise<void> => {
    await this.#client.call(stopPlugin, {}, { service: this.#service, timeoutMs: callTimeoutMs, signal });
  };

  readonly isRegistered = async (): Promise<boolean> =>
    (await this.#client.manage('mmi.service', this.#service, { timeoutMs: callTimeoutMs })) === '200';
}
