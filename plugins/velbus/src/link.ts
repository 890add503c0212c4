// A line to the bus that carries bytes both ways, and what lines of both kinds have in common. It knows no frames.
import type { Socket } from 'node:net';
import type { Device } from './device.ts';

/** A line that is open. */
export interface Link {
  write(bytes: Uint8Array): void;
  /** Ends the line; `onClosed` is not called for it. Twice does no harm. */
  close(): void;
}

export interface LinkListener {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** The other end has gone, with the reason for a person; called once. */
  readonly onClosed: (reason: string) => void;
}

/** Opens a device. @throws LinkError within 5 s; the signal's reason */
export type OpenLink = (device: Device, listener: LinkListener, signal: AbortSignal) => Promise<Link>;

/** The device cannot be opened; the message says why, and what to do. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code = 'LINK_FAILED';
}

/** A stream as a line. `reasonOf` puts into words why it ended. */
export function lineOf(stream: Socket, { onBytes, onClosed }: LinkListener, reasonOf: (error: Error | undefined) => string): Link {
  let isOpen = true;
  let problem: Error | undefined;
  stream.on('data', (bytes: Uint8Array) => {
    if (isOpen) onBytes(bytes);
  });
  stream.on('error', (error) => {
    problem = error;
  });
  stream.once('end', () => stream.destroy());
  stream.once('close', () => {
    if (isOpen) onClosed(reasonOf(problem));
  });
  return {
    write: (bytes) => void stream.write(bytes),
    close: () => {
      isOpen = false;
      stream.destroy();
    },
  };
}
