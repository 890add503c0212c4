// Where the broker listens: free or ours, and who else has it; and whether others than this machine can reach it.
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostService, partList } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { isSystemError, systemReason } from '@majordomus/runtime';
import { connectable } from '../house.ts';
import { domus, noted, ok, problem, type Finding, type Patient } from './finding.ts';

const what = 'port';
const timeoutMs = 2000;
const strangerTimeoutMs = 700;

export async function checkPort(patient: Patient): Promise<Finding[]> {
  const { settings, running, silent, broker } = patient;
  if (broker !== undefined) return [await checkAnswer(patient, broker, running?.join), ...checkReach(settings?.bind === undefined || running === undefined || running.join !== undefined ? undefined : boundAs(settings.bind, broker))];
  if (settings === undefined || silent !== undefined) return [];
  if (settings.join !== undefined) return [await checkAnswer(patient, settings.join, settings.join)];
  return [await checkFree(patient, settings.bind), ...checkReach(settings.bind)];
}

async function checkAnswer(patient: Patient, broker: string, join: string | undefined): Promise<Finding> {
  await using client = new Client({ endpoint: broker });
  const startedMs = performance.now();
  try {
    await client.manage('mmi.majordomus', '', { timeoutMs });
    return ok(what, `${join === undefined ? 'the broker' : 'the broker of the house elsewhere'} answers at ${broker} within ${Math.ceil(performance.now() - startedMs)} ms`);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return problem(what, `the broker does not answer at ${broker}`, join === undefined ? `see: ${domus(patient, 'logs broker')}` : 'see that the house there runs, and that the line is up');
  }
}

async function checkFree(patient: Patient, bind: string): Promise<Finding> {
  const [, host = '', port = ''] = /^tcp:\/\/\[?([^\]]+)\]?:(\d+|\*)$/.exec(bind) ?? [];
  if (host === '') return ok(what, `${bind} will be used`);
  if (port === '*' || port === '0') return ok(what, `any free one on ${host} will be taken`);
  const server = createServer();
  try {
    server.listen({ port: Number(port), host: host === '*' ? '0.0.0.0' : host, exclusive: true });
    await once(server, 'listening');
    return ok(what, `${bind} is free`);
  } catch (error) {
    if (isSystemError(error, 'EADDRINUSE')) return problem(what, `${bind} is taken by ${(await houseAt(connectable(bind))) ?? ownerOf(Number(port)) ?? 'another program'}`, `stop that, or listen elsewhere: ${domus(patient, 'up --bind tcp://127.0.0.1:PORT')} (* for any free one)`);
    return problem(what, `${bind} cannot be used: ${systemReason(error)}`, 'choose an address of this machine with --bind or DOMUS_BIND');
  } finally {
    server.close();
  }
}

/** Another house that listens there; undefined for anything else. */
async function houseAt(endpoint: string): Promise<string | undefined> {
  await using client = new Client({ endpoint });
  try {
    const services = (await client.manage('mmi.services', '', { timeoutMs: strangerTimeoutMs })).split(', ');
    const house = services.find((name) => name.endsWith('.house'));
    if (house === undefined) return 'a broker that belongs to no house';
    const { home } = await client.call(partList, {}, { service: hostService(house.slice(0, -'.house'.length), 'house'), timeoutMs: strangerTimeoutMs });
    return `another house, whose home is ${home}`;
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}

/** The process that listens on a TCP port, as far as this user may know; Linux only. */
function ownerOf(port: number): string | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => readText(table).split('\n').slice(1).flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === '0A' && Number.parseInt(local.split(':')[1] ?? '', 16) === port ? [`socket:[${inode}]`] : [];
  }));
  const pid = inodes.length === 0 ? undefined : listed('/proc').find((name) => /^\d+$/.test(name) && listed(`/proc/${name}/fd`).some((fd) => inodes.includes(linkOf(`/proc/${name}/fd/${fd}`))));
  return pid === undefined ? undefined : `${readText(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
}

/** Where the broker was told to listen, with the port that it took. */
function boundAs(bind: string, broker: string): string {
  return bind.replace(/:(\*|\d+)$/, broker.slice(broker.lastIndexOf(':')));
}

function checkReach(endpoint: string | undefined): Finding[] {
  if (endpoint === undefined) return [];
  const isLocal = /^(ipc:|tcp:\/\/(127\.|localhost:|\[::1\]))/.test(endpoint);
  return isLocal ? [ok('reach', 'only this machine reaches the bus')] : [noted('reach', `others reach the bus at ${endpoint}, and whoever does can run code here`, 'let only a trusted network reach it: the bus has no authentication')];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
