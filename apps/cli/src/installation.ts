// An installation as a person follows it: it is begun, and its job asked for until it has ended.
import { setTimeout as delay } from 'node:timers/promises';
import { hostService, jobGet, pluginInstall, type Job } from '@majordomus/contracts';
import type { Client } from '@majordomus/mq';
import { CommandError } from './failure.ts';

/** A short installation is answered at once, and its steps are not told. */
const waitMs = 500;
const pollMs = 500;

/** Installs and tells each step once; ends with the finished job. @throws CommandError with the code of the failure */
export async function installAndFollow(client: Client, host: string, source: string, onStep: (text: string) => void, signal?: AbortSignal): Promise<Job> {
  const options = { service: hostService(host, 'packagemanager'), ...(signal && { signal }) };
  let { job } = await client.call(pluginInstall, { source, waitMs }, options);
  let told = '';
  while (job.state === 'running') {
    if (told !== job.step) onStep(`${job.step}… ${job.percent} %`);
    told = job.step;
    await delay(pollMs, undefined, options);
    ({ job } = await client.call(jobGet, { id: job.id }, options));
  }
  if (job.state === 'failed') throw new CommandError(job.error?.code ?? 'FAILED', job.error?.reason ?? 'the installation failed');
  return job;
}
