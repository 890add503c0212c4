// A registry of npm packages over HTTP on loopback: it stands for what lies outside this machine, and can be stopped.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Registry {
  readonly url: string;
  /** What was asked for so far. */
  readonly requests: string[];
  /** Publishes a version with this archive. */
  readonly publish: (name: string, version: string, archive: Buffer, said?: { readonly integrity?: string }) => void;
  /** Answers everything with this status from now on. */
  readonly refuse: (status: number) => void;
  /** Ends it: from now on nothing answers at its address. */
  readonly stop: () => Promise<void>;
}

interface Version {
  readonly archive: Buffer;
  readonly integrity: string;
}

export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

export async function startRegistry(): Promise<Registry> {
  const packages = new Map<string, Map<string, Version>>();
  const requests: string[] = [];
  let refusal: number | undefined;
  const server = createServer(({ url = '', headers }, response) => {
    requests.push(url);
    const [name = '', file] = decodeURIComponent(url).slice(1).split('/-/');
    const versions = packages.get(name);
    const archive = file === undefined ? undefined : versions?.get(file.replace(/\.tgz$/, ''))?.archive;
    if (refusal !== undefined || versions === undefined || (file !== undefined && archive === undefined)) {
      response.writeHead(refusal ?? 404).end('{}');
      return;
    }
    if (archive !== undefined) {
      response.end(archive);
      return;
    }
    const body = JSON.stringify({
      name,
      'dist-tags': { latest: [...versions.keys()].at(-1) },
      versions: Object.fromEntries([...versions].map(([version, { integrity }]) => [version, { name, version, dist: { tarball: `http://${headers.host}/${name}/-/${version}.tgz`, integrity } }])),
    });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): Promise<void> => stopServer(server);
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    publish(name, version, archive, { integrity = integrityOf(archive) } = {}) {
      const versions = packages.get(name) ?? new Map<string, Version>();
      packages.set(name, versions.set(version, { archive, integrity }));
    },
    refuse: (status) => void (refusal = status),
    stop,
  };
}

async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
