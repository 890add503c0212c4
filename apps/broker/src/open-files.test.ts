// A broker that may open few files: it says so, stays below the limit, and whoever is connected notices nothing.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Client, type BrokerStatus } from '@majordomus/mq';
import { readinessFd, readinessVariable } from '@majordomus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

let home: string;
let child: ChildProcess | undefined;
let said = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-broker-'));
  said = '';
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Starts the broker with so many open files at the most; gives its address. */
async function startBroker(files: number): Promise<string> {
  const main = new URL('main.ts', import.meta.url).pathname;
  child = spawn('prlimit', [`--nofile=${files}:${files}`, process.execPath, main, '--home', home, '--bind', 'tcp://127.0.0.1:*'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], [readinessVariable]: String(readinessFd) },
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const pipe = child.stdio[readinessFd];
  if (!(pipe instanceof Readable)) throw new TypeError('a pipe is missing');
  for await (const line of createInterface({ input: pipe })) {
    const { facts } = JSON.parse(line) as { readonly facts?: { readonly endpoint: string } };
    if (facts !== undefined) return facts.endpoint;
  }
  throw new TypeError(`the broker ended: ${said}`);
}

describe.skipIf(!canLimit && process.env['CI'] !== 'true')('a broker that may open few files (needs prlimit)', () => {
  it('says how many connections it takes, closes more at once and counts them, and serves those that it has', async () => {
    const endpoint = await startBroker(80);
    await using client = new Client({ endpoint });
    expect(await client.manage('mmi.service', 'nobody')).toBe('404');
    const words = /the system lets the broker open 80 files, so that it takes (\d+) connections at once and not 16000/;
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(words);
    const room = Number(words.exec(said)?.[1]);

    const port = Number(endpoint.split(':').at(-1));
    const sockets: Socket[] = [];
    let closed = 0;
    for (let more = 0; more < 120; more += 1) {
      const socket = connect(port, '127.0.0.1').resume();
      socket.on('error', () => {});
      socket.on('close', () => (closed += 1));
      sockets.push(socket);
      await once(socket, 'connect');
    }
    await expect.poll(() => closed, { timeout: 10_000 }).toBe(120 - (room - 1));
    const { dropped } = JSON.parse(await client.manage('mmi.majordomus')) as BrokerStatus;
    expect(dropped.connectionRefused).toBe(closed);

    for (const socket of sockets) socket.destroy();
    await using other = new Client({ endpoint });
    expect(await other.manage('mmi.service', 'nobody', { timeoutMs: 10_000 })).toBe('404');
  });

  it('knows when no file can be opened any more', () => {
    const openFiles = new URL('open-files.ts', import.meta.url).href;
    const program = `const { isOutOfFiles } = await import(${JSON.stringify(openFiles)}); const { openSync } = await import('node:fs'); const before = isOutOfFiles(); try { for (;;) openSync('/dev/null', 'r'); } catch {} console.log(before, isOutOfFiles());`;
    const { stdout } = spawnSync('prlimit', ['--nofile=80:80', process.execPath, '--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(stdout).toBe('false true\n');
  });
});
