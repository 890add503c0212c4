// A Velbus TCP gateway: the frames of the bus as they are, without TLS and without a password.
import { once } from 'node:events';
import { connect } from 'node:net';
import { deviceName, type Device } from './device.ts';
import { lineOf, LinkError, type Link, type LinkListener } from './link.ts';

const connectLimitMs = 5000;
/** A gateway that lost its power says nothing; so it is asked. */
const keepAliveMs = 10_000;

/** @throws LinkError, the signal's reason */
export async function openTcp(device: Device & { protocol: 'tcp' }, listener: LinkListener, signal: AbortSignal): Promise<Link> {
  const { host, port } = device;
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
  const limit = AbortSignal.timeout(connectLimitMs);
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, limit]) });
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw new LinkError(limit.aborted ? `${deviceName(device)} does not answer within ${connectLimitMs / 1000} s` : tcpReason(device, cause), { cause });
  }
  return lineOf(socket, listener, (error) => (error === undefined ? `${deviceName(device)} closed the connection` : tcpReason(device, error)));
}

function tcpReason(device: Device, error: unknown): string {
  const name = deviceName(device);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${name}; is the gateway started?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${name}: no host has this name`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${name} cannot be reached (${code})`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${name} closed the connection`;
    default:
      return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
