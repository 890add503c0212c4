// An installation as a person follows it: it is begun, and its job asked for until it has ended.
import { setTimeout as delay } from 'node:timers/promises';
import { hostService, jobGet, packageList, pluginInstall, type Job } from '@majordomus/contracts';
import { CallError, type Client } from '@majordomus/mq';
import { CommandError } from './failure.ts';

/** A short installation is answered at once, and its steps are not told. */
export const waitMs = 500;
const pollMs = 250;
/** How long packagemanager may be away while a job is followed. */
const patienceMs = 15_000;
/** How a call ends while packagemanager, or the broker, is started again. */
const passingCodes: ReadonlySet<string> = new Set(['SERVICE_UNKNOWN', 'WORKER_LOST', 'BROKER_LOST', 'NOT_CONNECTED', 'DEADLINE_EXCEEDED', 'STOPPING']);

export interface FollowOptions {
  /** The packagemanager that has the job. */
  readonly service: string;
  /** Called with how far the job is, each time it was asked for. */
  readonly onJob: (job: Job) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Follows a job to its end. A packagemanager that is killed meanwhile is back in a moment, and goes on with a job that had begun to
 * change the house; of any other it is told what is installed now.
 * @throws CommandError with the code of the failure; CallError
 */
export async function followJob(client: Client, begun: Job, { service, onJob, signal }: FollowOptions): Promise<Job> {
  const options = { service, ...(signal && { signal }) };
  let job = begun;
  let heardMs = performance.now();
  while (job.state === 'running') {
    await onJob(job);
    await delay(pollMs, undefined, options);
    try {
      ({ job } = await client.call(jobGet, { id: job.id }, options));
      heardMs = performance.now();
    } catch (error) {
      if (!(error instanceof CallError) || signal?.aborted === true) throw error;
      if (error.code === 'JOB_NOT_FOUND') throw await forgotten(client, job, service, error);
      if (!passingCodes.has(error.code) || performance.now() - heardMs > patienceMs) throw error;
    }
  }
  if (job.state === 'failed') throw new CommandError(job.error?.code ?? 'FAILED', job.error?.reason ?? 'the installation failed', { log: job.error?.log ?? [] });
  return job;
}

/** What is installed after an installation of which nobody knows any more. */
async function forgotten(client: Client, { plugin, source }: Job, service: string, cause: CallError): Promise<CommandError> {
  const { packages } = await client.call(packageList, {}, { service });
  const found = packages.find(({ name }) => name === plugin);
  const now = plugin === undefined ? 'nothing of it is installed' : found === undefined ? `${plugin} is not installed` : `${plugin} ${found.version} is installed, from ${found.source ?? 'nobody knows where'}`;
  return new CommandError('INTERRUPTED', `packagemanager was stopped while it installed ${source}; now ${now}; install it again if that is not what you want`, { cause });
}

/** Installs and tells each step once; ends with the finished job. @throws CommandError with the code of the failure; CallError */
export async function installAndFollow(client: Client, host: string, source: string, onStep: (text: string) => void, signal?: AbortSignal): Promise<Job> {
  const service = hostService(host, 'packagemanager');
  const { job } = await client.call(pluginInstall, { source, waitMs }, { service, ...(signal && { signal }) });
  let told = '';
  return await followJob(client, job, {
    service,
    signal,
    onJob: ({ step, percent }) => {
      if (told !== step) onStep(`${step}… ${percent} %`);
      told = step;
    },
  });
}
