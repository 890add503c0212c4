// What the supervisor runs for a plugin. The supervisor reads it anew at each start, so a plugin goes over to the version
// that is installed by then.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stopPlugin, type OutputOf, type packageDetail } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import type { ProcessSpec } from '@majordomus/supervisor';

export type PackageDetail = OutputOf<typeof packageDetail>;

const callTimeoutMs = 1000;

export class PluginProgram implements ProcessSpec {
  readonly name: string;
  readonly env: ProcessSpec['env'];
  readonly #service: string;
  readonly #client: Client;
  #detail: PackageDetail;

  constructor(detail: PackageDetail, service: string, client: Client, env: ProcessSpec['env']) {
    this.name = detail.name;
    this.env = env;
    this.#service = service;
    this.#client = client;
    this.#detail = detail;
  }

  get version(): string {
    return this.#detail.version;
  }

  get command(): readonly string[] {
    const { folder, manifest: { main, exec: [program = '', ...args] = [] } } = this.#detail;
    if (main !== undefined) return [process.execPath, join(folder, main)];
    const own = join(folder, program);
    return [existsSync(own) ? own : program, ...args];
  }

  get cwd(): string {
    return this.#detail.folder;
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
