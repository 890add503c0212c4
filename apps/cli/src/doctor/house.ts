// The running house: its parts and plugins, and whether everything in it is of the same version.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostService, partList, pluginList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { homePaths, majordomusVersion } from '@majordomus/runtime';
import { awayText, awayTodo, hostsOf, type HouseHost } from '../hosts.ts';
import { domus, noted, ok, problem, type Finding, type Patient } from './finding.ts';
import { summary } from './processes.ts';

const timeoutMs = 2000;

export async function checkHouse(patient: Patient): Promise<Finding[]> {
  const { broker, host, silent } = patient;
  if (broker === undefined) return [ok('versions', `Majordomus ${majordomusVersion}`), ...(silent === undefined ? [noted('house', 'no house runs here', `start it: ${domus(patient, 'up')}`)] : [])];
  await using client = new Client({ endpoint: broker });
  const others = (await knownHosts(client)).filter((one) => one.host !== host || one.count > 1);
  const checked = await Promise.all([checkHost(client, patient, host), ...others.map((other) => checkOther(client, patient, other))]);
  return checked.flat();
}

/** The kit that plugins import is the house's own, renewed at each start. */
export function checkKit({ home }: Patient): Finding[] {
  const file = join(homePaths(home).packages, 'node_modules', '@majordomus', 'plugin', 'package.json');
  let version: unknown;
  try {
    ({ version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: unknown });
  } catch {
    return [];
  }
  return [version === majordomusVersion ? ok('kit', `plugins get @majordomus/plugin ${majordomusVersion}`) : problem('kit', `plugins get @majordomus/plugin ${String(version)}, and this is ${majordomusVersion}`, 'start the house again, which renews it')];
}

/** Another host, or another one of the same name. */
async function checkOther(client: Client, patient: Patient, { host, count }: HouseHost): Promise<Finding[]> {
  if (count === 0) return [problem('hosts', `${host} has joined the house, and ${awayText}`, awayTodo(host))];
  const namesakes = count === 1 ? [] : [problem('hosts', `${count} hosts are called ${host}, and each gets only a part of what is asked of ${host}`, 'stop the others, and start them with another --host')];
  return host === patient.host ? namesakes : [...namesakes, ...(await checkHost(client, patient, host))];
}

async function checkHost(client: Client, patient: Patient, name: string): Promise<Finding[]> {
  const isOwn = name === patient.host;
  const where = isOwn ? '' : ` on ${name}`;
  const typed = (words: string): string => domus(patient, words, isOwn ? undefined : name);
  const [parts, plugins] = await Promise.all([
    answered(client.call(partList, {}, { service: hostService(name, 'house'), timeoutMs }), (house) => [
      house.version === majordomusVersion
        ? ok('versions', `Majordomus ${house.version} runs${where}, and is what you run`)
        : problem('versions', `Majordomus ${house.version} runs${where}, and you run ${majordomusVersion}`, 'start it again there, or run the same version here'),
      ...summary('parts', house.parts, where, { log: (part) => typed(`logs ${part.name}`) }),
    ], (reason) => problem('house', `${name} does not say how it is: ${reason}`, isOwn ? `see: ${typed('logs')}` : 'see that it runs, and that the line is up')),
    answered(client.call(pluginList, {}, { service: hostService(name, 'manager'), timeoutMs }),
      (reply) => summary('plugins', reply.plugins, where, {
        log: (plugin) => domus(patient, `plugin log ${isOwn ? plugin.name : plugin.id}`),
        raise: (plugin, limitMb) => typed(`config set manager memory-limit-mb.${plugin.name} ${limitMb}`),
      }),
      (reason) => problem('plugins', `the manager${where} does not say how they are: ${reason}`, `see: ${typed('logs manager')}`)),
  ]);
  return [...parts, ...plugins];
}

async function answered<T>(reply: Promise<T>, found: (reply: T) => Finding[], missed: (reason: string) => Finding): Promise<Finding[]> {
  try {
    return found(await reply);
  } catch (error) {
    if (error instanceof CallError) return [missed(error.message)];
    throw error;
  }
}

/** None while the broker does not answer, which the check of the port tells. */
async function knownHosts(client: Client): Promise<readonly HouseHost[]> {
  try {
    return await hostsOf(client, { timeoutMs });
  } catch (error) {
    if (error instanceof CallError) return [];
    throw error;
  }
}
