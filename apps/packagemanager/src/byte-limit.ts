// How much a source may bring: counted in the stream that it comes by, or on the disk when a program writes it there by
// itself. It ends what brings more while that goes on, for afterwards the disk may be full.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { setInterval } from 'node:timers/promises';
import { isSystemError } from '@majordomus/runtime';

const lookEveryMs = 200;

/** A source brings more than it may. */
export class TooLarge extends RangeError {
  override readonly name = 'TooLarge';
  readonly code = 'TOO_LARGE';

  constructor(maxBytes: number) {
    super(`it is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
  }
}

/** Lets `maxBytes` through, and fails with TooLarge at the next one. */
export function limited(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? new TooLarge(maxBytes) : null, chunk);
    },
  });
}

/**
 * Does what lets files below `folder` grow by `maxBytes` at most; its signal fires when they have grown by more, and when
 * `signal` does.
 * @throws TooLarge also if it was only seen when `grow` had ended; what `grow` throws
 */
export async function growing<T>(folder: string, maxBytes: number, signal: AbortSignal, grow: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const most = (await bytesIn(folder)) + maxBytes;
  const over = new AbortController();
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    if ((await bytesIn(folder)) > most) over.abort(new TooLarge(maxBytes));
  };
  const watching = watch(look, ended.signal).catch((error: unknown) => {
    if (!ended.signal.aborted) over.abort(error);
  });
  try {
    const result = await grow(AbortSignal.any([signal, over.signal]));
    await look();
    over.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    ended.abort();
    await watching;
  }
}

async function watch(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for await (const _ of setInterval(lookEveryMs, undefined, { signal })) await look();
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) bytes += await sizeOf(join(folder, name));
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // Renamed or removed since its name was read.
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}
