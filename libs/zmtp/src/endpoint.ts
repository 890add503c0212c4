// Addresses as ZeroMQ writes them: tcp://host:port, with `*` for any interface or port, and ipc://path (`@name` for
// Linux's abstract sockets). Pure.
import { Buffer } from 'node:buffer';
import { EndpointError } from './errors.ts';

export type Endpoint =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'ipc'; readonly path: string };

const maxPort = 65_535;
/** What the kernel's address of a Unix socket holds. */
const maxPathBytes = 107;

/** @throws EndpointError ADDRESS_INVALID */
export function parseEndpoint(endpoint: string): Endpoint {
  const ipc = /^ipc:\/\/(.+)$/s.exec(endpoint)?.[1];
  if (ipc !== undefined) {
    if (Buffer.byteLength(ipc) > maxPathBytes) throw invalid(endpoint, `a path of a socket has at most ${maxPathBytes} bytes`);
    return { kind: 'ipc', path: ipc.startsWith('@') ? `\0${ipc.slice(1)}` : ipc };
  }
  const [, host, port] = /^tcp:\/\/(\[[^\]]+\]|[^:[\]/]+):(\*|\d{1,5})$/.exec(endpoint) ?? [];
  if (host === undefined || port === undefined) throw invalid(endpoint, 'an address is tcp://host:port or ipc://path');
  const number = port === '*' ? 0 : Number(port);
  if (number > maxPort) throw invalid(endpoint, 'there is no such port');
  return { kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port: number };
}

/**
 * An address to connect to: one machine, and one port.
 * @throws EndpointError ADDRESS_INVALID
 */
export function parseRemoteEndpoint(endpoint: string): Endpoint {
  const address = parseEndpoint(endpoint);
  if (address.kind === 'tcp' && (address.host === '*' || address.port === 0)) throw invalid(endpoint, 'to connect, an address names a machine and a port');
  return address;
}

/** The address that a peer connects to. */
export function formatTcp(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function invalid(endpoint: string, why: string): EndpointError {
  return new EndpointError('ADDRESS_INVALID', `cannot use ${JSON.stringify(endpoint)}: ${why}`);
}
