// Packages into `plugin.install` of a real house: folders with harmed manifests, and hostile archives. What is installed after all is
// the same harmless program each time, and is uninstalled again.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { job as jobSchema, jobGet, pluginInstall, pluginUninstall, type Job } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { until } from '../../src/waiting.ts';
import type { FuzzHouse } from '../fuzz-house.ts';
import { codesOf, refusalProblem, replyProblem } from '../judges.ts';
import type { Site } from '../site.ts';
import { Finding, target, type Subject } from '../target.ts';
import { archives } from './archives.ts';
import { manifests } from './manifests.ts';

interface Package {
  readonly kind: 'folder' | 'archive';
  readonly bytes: Buffer;
}

const timeoutMs = 30_000;
const jobLimitMs = 60_000;
const program = 'process.stdin.resume();\nprocess.stdin.on("end", () => process.exit(0));\n';

export const installs = target<Package>({
  name: 'installs',
  about: 'folders with harmed manifests, and hostile archives, into plugin.install of a house',
  batchSize: 20,
  testInputs: 40,
  input: fc.oneof(
    fc.record({ kind: fc.constant('folder' as const), bytes: (manifests.input as fc.Arbitrary<Buffer>).filter((bytes) => startsNothing(bytes)) }),
    fc.record({ kind: fc.constant('archive' as const), bytes: archives.input as fc.Arbitrary<Buffer> }),
  ),
  show: ({ kind, bytes }) => `${kind}: ${kind === 'folder' ? manifests.show(bytes) : archives.show(bytes)}`,
  open: async (site) => new Installs(site, await site.house()),
});

/** Whatever it is, no other program than the one beside it is named. */
function startsNothing(bytes: Buffer): boolean {
  return !/exec|\\u/.test(bytes.toString());
}

class Installs implements Subject<Package> {
  readonly #site: Site;
  readonly #house: FuzzHouse;

  constructor(site: Site, house: FuzzHouse) {
    this.#site = site;
    this.#house = house;
  }

  async feed(inputs: readonly Package[]): Promise<void> {
    for (const [index, input] of inputs.entries()) await this.#install(input, join(this.#site.inputs, `install-${index}`));
    await this.#house.judge();
  }

  memory(): ReturnType<FuzzHouse['memory']> {
    return this.#house.memory();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #install({ kind, bytes }: Package, place: string): Promise<void> {
    const source = kind === 'folder' ? place : `${place}.tgz`;
    if (kind === 'folder') {
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'plugin.json'), bytes);
      writeFileSync(join(place, 'main.js'), program);
    } else {
      writeFileSync(source, bytes);
    }
    const ended = await this.#untilEnded(source, () => installs.show({ kind, bytes }));
    rmSync(source, { recursive: true });
    if (ended?.state === 'done' && ended.plugin !== undefined) await this.#house.house.client.call(pluginUninstall, { id: ended.plugin }, { service: 'packagemanager', timeoutMs });
  }

  /** How the installation ended; undefined if it did not begin. @throws Finding */
  async #untilEnded(source: string, what: () => string): Promise<Job | undefined> {
    const { client } = this.#house.house;
    const reply = await client.request('packagemanager', { action: pluginInstall.action, data: { source, waitMs: 5000 } }, { timeoutMs }).then(({ action, data }) => ({ action, data }), (error: unknown) => {
      const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
      return { action: pluginInstall.reply, data: { status: false, code, reason: message } };
    });
    const problem = replyProblem(reply, pluginInstall);
    if (problem !== undefined) throw new Finding(`it is installed so that ${problem}\n  ${what()}`);
    const data: Readonly<Record<string, unknown>> = reply.data;
    if (data['status'] !== true) return undefined;
    const { id } = jobSchema.parse(data['job']);
    const ended = await until('the installation ends', async () => {
      const { job } = await client.call(jobGet, { id }, { service: 'packagemanager', timeoutMs });
      return job.state === 'running' ? undefined : job;
    }, { limitMs: jobLimitMs }).catch((cause: unknown) => {
      throw new Finding(`an installation has not ended after ${jobLimitMs} ms\n  ${what()}`, { cause });
    });
    const refused = ended.error === undefined ? undefined : refusalProblem(ended.error, codesOf(pluginInstall));
    if (refused !== undefined) throw new Finding(`an installation fails so that ${refused}\n  ${what()}`);
    return ended;
  }
}
