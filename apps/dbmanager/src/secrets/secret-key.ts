// The key of the house's secrets: a file that its owner alone can read. It is on the disk before the first secret is
// stored, and no key is ever written over another one: what was encrypted with that would be lost.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureFolder, isSystemError, syncPath, systemReason } from '@majordomus/runtime';
import { giveFreeName } from '../file/free-name.ts';

/** AES-256. */
const keyBytes = 32;

/** The key of the secrets cannot be used; the message says which file, why, and what to do. */
export class KeyUnusable extends Error {
  override readonly name = 'KeyUnusable';
  readonly code = 'KEY_UNUSABLE';
}

export interface SecretKey {
  readonly bytes: Buffer;
  /** Tells keys apart, and nothing of the key: it stands in what was encrypted with it. */
  readonly id: string;
}

/**
 * Undefined if there is none. It is read each time it is needed, so that one which is put back counts at once.
 * @throws KeyUnusable
 */
export function readKey(path: string): SecretKey | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new KeyUnusable(`the key ${path} cannot be read (${systemReason(cause)}); make it a file that this user can read`, { cause });
  }
  if (bytes.length !== keyBytes) {
    throw new KeyUnusable(`${path} is no key (it has ${bytes.length} bytes, and a key has ${keyBytes}); put the right one back from a backup, or move this one away`);
  }
  return { bytes, id: createHash('sha256').update('majordomus key id').update(bytes).digest('hex').slice(0, 8) };
}

/**
 * Makes a key where there is none. It is on the disk when this returns.
 * @throws KeyUnusable; StartError HOME_NOT_WRITABLE
 */
export function makeKey(path: string): SecretKey {
  const folder = dirname(path);
  const unfinished = `${path}.new`;
  ensureFolder(folder);
  try {
    // Of a start that was interrupted here; nothing was encrypted with it.
    rmSync(unfinished, { force: true });
    writeSynced(unfinished, randomBytes(keyBytes));
    if (!giveFreeName(unfinished, path)) throw new KeyUnusable(`${path} has come meanwhile; do it again`);
    for (const changed of [folder, dirname(folder)]) syncPath(changed);
  } catch (cause) {
    if (cause instanceof KeyUnusable) throw cause;
    throw new KeyUnusable(`cannot make the key ${path} (${systemReason(cause)}); make its folder writable, and see that its disk has room`, { cause });
  }
  const key = readKey(path);
  if (key === undefined) throw new KeyUnusable(`the key ${path} was made, and is gone; do it again`);
  return key;
}

function writeSynced(path: string, bytes: Buffer): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    // Whatever the mask of this process is.
    chmodSync(path, 0o600);
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
