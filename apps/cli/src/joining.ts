// Before a host joins a house: it waits for that house, for ever if need be, and says what it waits for; and it joins none in
// which its name is taken or another version runs. A cut line or a late start looks like a wrong address, so only the
// person can tell them apart.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { hostService, partList, type OutputOf } from '@majordomus/contracts';
import { CallError, Client } from '@majordomus/mq';
import { majordomusVersion } from '@majordomus/runtime';
import { CommandError } from './failure.ts';
import { sameLine } from './version-line.ts';

const askTimeoutMs = 2000;
const pollMs = 500;
const probeLimitMs = 1500;

/** The house that answers at a broker: what its primary host says of itself. */
export type HouseElsewhere = OutputOf<typeof partList>;

export interface JoinOptions {
  /** The broker of the house. */
  readonly endpoint: string;
  /** The name of this host. */
  readonly host: string;
  /** Told, each time that it changes, what is waited for. */
  readonly onWait: (reason: string) => void;
}

/**
 * Resolves when the house answers and this host may join it.
 * @throws CommandError HOST_TAKEN, VERSION_DIFFERS
 */
export async function untilJoinable({ endpoint, host, onWait }: JoinOptions, signal: AbortSignal): Promise<HouseElsewhere> {
  await using client = new Client({ endpoint });
  let told = '';
  for (;;) {
    const answer = await ask(client, host, signal);
    if (typeof answer !== 'string') return answer;
    if (answer !== told) onWait(answer);
    told = answer;
    await delay(pollMs, undefined, { signal });
  }
}

/** What the house says of itself, or what is still to be waited for. */
async function ask(client: Client, host: string, signal: AbortSignal): Promise<HouseElsewhere | string> {
  const { endpoint } = client;
  const options = { timeoutMs: askTimeoutMs, signal };
  try {
    const services = (await client.manage('mmi.services', '', options)).split(', ');
    if (!services.includes(partList.service)) return `the house at ${endpoint}: its broker answers, and nobody is "${partList.service}" there; does "domus up" run there?`;
    const house = await client.call(partList, {}, options);
    assertSameLine(house, endpoint);
    if (house.host === host) throw taken(host, `it is the primary host of the house at ${endpoint}`);
    if (!hostParts.some((part) => services.includes(hostService(host, part)))) return house;
    const namesake = await askNamesake(client, host, signal);
    if (namesake !== undefined) throw taken(host, namesake);
    return `the house at ${endpoint} to forget a host ${host}, which does not answer; if it is another one than this, give this one another name with --host`;
  } catch (error) {
    if (signal.aborted || !(error instanceof CallError)) throw error;
    return error.code === 'NOT_CONNECTED' ? `the broker at ${endpoint}: ${await reachability(endpoint)}` : `the house at ${endpoint}: ${error.message}`;
  }
}

/** Whether somebody who is called as this host answers, and who. */
async function askNamesake(client: Client, host: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { home } = await client.call(partList, {}, { service: hostService(host, 'house'), timeoutMs: askTimeoutMs, signal });
    return `a house runs under this name already, with the home ${home}`;
  } catch (error) {
    if (signal.aborted || !(error instanceof CallError)) throw error;
    return undefined;
  }
}

/** What each host offers under its own name. */
const hostParts = ['house', 'manager', 'packagemanager'] as const;

function taken(host: string, why: string): CommandError {
  return new CommandError('HOST_TAKEN', `the name ${host} is taken: ${why}; give this host another one with --host`);
}

function assertSameLine({ host, version }: HouseElsewhere, endpoint: string): void {
  if (sameLine(version, majordomusVersion)) return;
  throw new CommandError('VERSION_DIFFERS', `the house at ${endpoint} (host ${host}) runs Majordomus ${version}, and this is ${majordomusVersion}; install the same version on both hosts`);
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; does "domus up" run there, and was it told to listen beyond its own machine (--bind)?',
  ENOTFOUND: 'no machine of that name is known; is the address right?',
  EAI_AGAIN: 'the name of the machine cannot be looked up now; is there a network?',
  EHOSTUNREACH: 'that machine cannot be reached; is it on, and is the line up?',
  ENETUNREACH: 'there is no way to that network; is the line up?',
};

/** Why no broker answers, as far as a connection of our own can tell. */
async function reachability(endpoint: string): Promise<string> {
  const [, name = '', port = ''] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint) ?? [];
  if (name === '') return 'nothing answers there';
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: name.replaceAll(/[[\]]/g, ''), port: Number(port), timeout: probeLimitMs });
  socket.on('connect', () => resolve('something listens there, and does not answer as a broker; is the address right, and if it is a tunnel, does its other end reach the house?'));
  socket.on('timeout', () => resolve('that machine does not answer; is it on, is the line up, and is the address right?'));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(reasons[error.code ?? ''] ?? `it cannot be reached (${error.code ?? error.message})`));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
