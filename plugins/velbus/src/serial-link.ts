// A Velbus interface module at a serial device (VMB1USB, VMBRSUSB, VMB1RS: 38400 baud, 8 bits, no parity, 1 stop bit, no
// flow control). stty of the system sets the line, and Node's own tty streams read and write it: so the plugin needs no
// native library, and no thread of this process waits in a read that cannot be ended.
import { execFile } from 'node:child_process';
import { closeSync, constants, open } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import type { Device } from './device.ts';
import { lineOf, LinkError, type Link, type LinkListener } from './link.ts';

const sttyLimitMs = 5000;
const lineSettings = ['38400', 'raw', '-echo', 'cs8', '-parenb', '-cstopb', '-crtscts', 'clocal'] as const;

/** @throws LinkError, the signal's reason */
export async function openSerial({ path }: Device & { protocol: 'serial' }, listener: LinkListener, signal: AbortSignal): Promise<Link> {
  const fd = await openDevice(path);
  try {
    const option = process.platform === 'linux' ? '-F' : '-f';
    await promisify(execFile)('stty', [option, path, ...lineSettings], { signal, timeout: sttyLimitMs });
  } catch (cause) {
    closeSync(fd);
    signal.throwIfAborted();
    throw new LinkError(`${path} cannot be set up as a serial line; is it one? (stty: ${lastLine(cause)})`, { cause });
  }
  return lineOf(new ReadStream(fd), listener, () => `${path} is gone; was the interface unplugged?`);
}

async function openDevice(path: string): Promise<number> {
  let fd: number;
  try {
    // Not as the terminal of this process, and without waiting for a modem.
    fd = await promisify(open)(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new LinkError(openReason(path, cause), { cause });
  }
  if (isatty(fd)) return fd;
  closeSync(fd);
  throw new LinkError(`${path} is no serial device`);
}

function openReason(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
      return `there is no ${path}; is the interface plugged in?`;
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be opened; add the user of the house to the group of the device (often dialout), and start the house anew`;
    case 'EBUSY':
      return `${path} is used by another program`;
    default:
      return `${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return text.trim().split('\n').at(-1) || (error instanceof Error ? error.message : String(error));
}
