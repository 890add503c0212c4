// An installation on another host. What is on this disk, a folder or an archive, is brought there over the bus; anything else
// the other host fetches itself. Its job is followed to the end, as if it were ours.
import { randomUUID } from 'node:crypto';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ActionFailure, hostService, jobGet, packageUpload, pluginInstall, refuse, uploadChunkBytes, type Contract, type InputOf, type Job, type OutputOf,
} from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { create } from 'tar';
import { installFailure } from './install-failure.ts';
import type { Fetcher, ResolvedSource } from './fetch.ts';
import type { Progress } from './installer.ts';
import { checkIntegrity, hashFile } from './integrity.ts';
import { copyPackage, type CopyLimits } from './package-copy.ts';
import type { Values } from './plugin-configuration.ts';
import type { PackageStore } from './package-store.ts';

const callTimeoutMs = 20_000;
const pollMs = 300;
/** How long the other host may be out of reach while it installs. */
const patienceMs = 60_000;
/** What bringing the archive there is of the whole, in percent. */
const sentPercent = 30;

export interface OtherHostsOptions {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  readonly store: PackageStore;
  readonly fetcher: Fetcher;
  readonly limits: CopyLimits;
}

export interface InstallationElsewhere {
  readonly job: string;
  readonly host: string;
  readonly source: string;
  readonly integrity: string | undefined;
  readonly values: Values | undefined;
  readonly by: string | undefined;
  readonly restart: boolean;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export class OtherHosts {
  readonly #options: OtherHostsOptions;

  constructor(options: OtherHostsOptions) {
    this.#options = options;
  }

  /** @throws ActionFailure with a code of `plugin.install` */
  async install(installation: InstallationElsewhere): Promise<void> {
    try {
      await this.#install(installation);
    } catch (error) {
      throw installFailure(error, installation.signal);
    }
  }

  async #install(installation: InstallationElsewhere): Promise<void> {
    const { host, source: text, integrity, values, by, restart, signal, progress } = installation;
    progress({ step: 'resolve', percent: 0 });
    const resolved = await this.#options.fetcher.resolve(text, integrity);
    const isHere = resolved.source.kind === 'folder' || resolved.source.kind === 'archive';
    const source = isHere ? await this.#bring(resolved, installation) : text;
    const { job } = await this.#call(host, pluginInstall, {
      source, restart, waitMs: 0,
      ...(integrity !== undefined && !isHere && { integrity }),
      ...(values !== undefined && { configuration: values }),
      ...(by !== undefined && { by }),
    }, signal);
    await this.#follow(job, host, isHere ? sentPercent : 0, installation);
  }

  /** Packs what is here and sends it; returns what the other host calls it. */
  async #bring(resolved: ResolvedSource, { job, host, signal, progress }: InstallationElsewhere): Promise<string> {
    const { store } = this.#options;
    progress({ step: 'fetch', percent: 1 });
    const workspace = await store.stage(`${job}-sent`);
    try {
      const archive = await this.#archiveOf(resolved, workspace, signal);
      const integrity = await hashFile(archive);
      checkIntegrity(resolved.text, resolved.integrity, integrity);
      return await this.#send(archive, { host, integrity, origin: `${this.#options.host}:${resolved.text}`, signal, progress });
    } finally {
      await store.unstage(workspace);
    }
  }

  async #archiveOf({ source }: ResolvedSource, workspace: string, signal: AbortSignal): Promise<string> {
    if (source.kind === 'archive') return source.path;
    if (source.kind !== 'folder') throw refuse(pluginInstall, 'TRANSFER_FAILED', 'only a folder or an archive is brought to another host');
    const folder = join(workspace, 'package');
    await mkdir(folder);
    await copyPackage(source.path, folder, { limits: this.#options.limits, signal, progress: () => {} });
    const archive = join(workspace, 'archive.tgz');
    await create({ file: archive, cwd: workspace, gzip: true, portable: true, strict: true }, ['package']);
    return archive;
  }

  async #send(archive: string, { host, integrity, origin, signal, progress }: { host: string; integrity: string; origin: string } & Pick<InstallationElsewhere, 'signal' | 'progress'>): Promise<string> {
    const upload = randomUUID();
    const { size: bytes } = await stat(archive);
    await using file = await open(archive);
    const buffer = Buffer.alloc(uploadChunkBytes);
    for (let offset = 0; offset < bytes;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      if (bytesRead === 0) throw refuse(pluginInstall, 'TRANSFER_FAILED', `${archive} became shorter while it was sent; try again`);
      await this.#call(host, packageUpload, { upload, origin, bytes, integrity, offset, data: buffer.toString('base64', 0, bytesRead) }, signal);
      offset += bytesRead;
      progress({ step: 'fetch', percent: Math.floor((sentPercent * offset) / bytes) });
    }
    return `upload:${upload}`;
  }

  /** Tells what the other host's job tells, until it has ended. */
  async #follow(begun: Job, host: string, from: number, { signal, progress }: InstallationElsewhere): Promise<void> {
    let job = begun;
    let heardMs = performance.now();
    for (;;) {
      progress({ ...progressOf(job), percent: from + Math.floor(((100 - from) * job.percent) / 100) });
      if (job.state === 'failed') throw failureOf(job, host);
      if (job.state === 'done') return;
      await delay(pollMs, undefined, { signal });
      try {
        ({ job } = await this.#call(host, jobGet, { id: job.id }, signal));
        heardMs = performance.now();
      } catch (cause) {
        if (!(cause instanceof ActionFailure) || signal.aborted) throw cause;
        if (cause.code !== 'JOB_NOT_FOUND' && performance.now() - heardMs < patienceMs) continue;
        throw refuse(pluginInstall, 'TRANSFER_FAILED', `${host} does not tell any more how far it is: ${cause.message}; see what is installed there: domus call ${host}.packagemanager package.list`, {}, { cause });
      }
    }
  }

  async #call<C extends Contract>(host: string, contract: C, data: InputOf<C>, signal: AbortSignal): Promise<OutputOf<C>> {
    try {
      return await this.#options.client.call(contract, data, { service: hostService(host, contract.service), timeoutMs: callTimeoutMs, signal });
    } catch (cause) {
      if (!(cause instanceof CallError)) throw cause;
      if (cause.code !== 'SERVICE_UNKNOWN') throw new ActionFailure(cause.code, cause.message, cause.details, { cause });
      throw refuse(pluginInstall, 'HOST_UNKNOWN', `no packagemanager of the host ${host} is on the bus; see that its house runs and reaches this one, and that the name is right`, {}, { cause });
    }
  }
}

/** What another host's job tells, as ours. */
function progressOf({ step, percent, plugin, version, previous, change, gated, cached }: Job): Progress {
  return {
    step,
    percent,
    ...(plugin !== undefined && { plugin }),
    ...(version !== undefined && { version }),
    ...(previous !== undefined && { previous }),
    ...(change !== undefined && { change }),
    ...(gated !== undefined && { gated }),
    ...(cached !== undefined && { cached }),
  };
}

function failureOf({ error }: Job, host: string): ActionFailure {
  if (error === undefined) return refuse(pluginInstall, 'TRANSFER_FAILED', `the installation on ${host} failed, and it gave no reason; its log has it`);
  const { code, reason, fields, log } = error;
  return new ActionFailure(code, `on ${host}: ${reason}`, { ...(fields !== undefined && { fields }), ...(log !== undefined && { log }) });
}
