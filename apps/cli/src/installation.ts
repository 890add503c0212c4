// An installation as a person follows it: it is begun, and its job asked for until it has ended.
import { setTimeout as delay } from 'node:timers/promises';
import { hostService, jobGet, pluginInstall, type Job } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import { CommandError } from './failure.ts';

/** A short installation is answered at once, and its steps are not told. */
export const waitMs = 500;
const pollMs = 250;

export interface FollowOptions {
  /** The packagemanager that has the job. */
  readonly service: string;
  /** Called with how far the job is, each time it was asked for. */
  readonly onJob: (job: Job) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Follows a job to its end. @throws CommandError with the code of the failure; CallError */
export async function followJob(client: Client, begun: Job, { service, onJob, signal }: FollowOptions): Promise<Job> {
  const options = { service, ...(signal && { signal }) };
  let job = begun;
  while (job.state === 'running') {
    onJob(job);
    await delay(pollMs, undefined, options);
    ({ job } = await client.call(jobGet, { id: job.id }, options));
  }
  if (job.state === 'failed') throw new CommandError(job.error?.code ?? 'FAILED', job.error?.reason ?? 'the installation failed');
  return job;
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
