// Secrets as they stand in the database: AES-256-GCM (NIST SP 800-38D) under the key of the house, bound to the host, the
// plugin and the key they belong to. The text form is `secret1:<id of the key>:<nonce, ciphertext and tag in base64url>`, which
// no JSON text looks like; another form would get another number. An error never holds a secret.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Place } from '../configuration/place.ts';
import { KeyUnusable, makeKey, readKey, type SecretKey } from './secret-key.ts';

const cipher = 'aes-256-gcm';
const prefix = 'secret1:';
/** A random nonce of 96 bits is safe for 2^32 secrets under one key. */
const nonceBytes = 12;
const tagBytes = 16;

/** It cannot be decrypted; the message says why, and what to do beside setting it again. */
export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable';
  readonly code = 'SECRET_UNREADABLE';
}

/** Whether a stored text is an encrypted one. */
export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

export class Secrets {
  readonly #keyFile: string;
  readonly #onNewKey: () => void;

  /** @param onNewKey called when a key was made: what was encrypted before is lost then, if there is any */
  constructor(keyFile: string, onNewKey: () => void = () => {}) {
    this.#keyFile = keyFile;
    this.#onNewKey = onNewKey;
  }

  /**
   * Encrypts; the first time it makes the key.
   * @throws KeyUnusable; StartError HOME_NOT_WRITABLE
   */
  seal(place: Place, text: string): string {
    const key = readKey(this.#keyFile) ?? this.#newKey();
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, key.bytes, nonce, { authTagLength: tagBytes }).setAAD(boundTo(place));
    const sealed = Buffer.concat([nonce, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()]);
    return `${prefix}${key.id}:${sealed.toString('base64url')}`;
  }

  /** @throws SecretUnreadable */
  open(place: Place, sealed: string): string {
    const [id, bytes] = partsOf(sealed);
    const key = this.#keyOf(id);
    try {
      const opening = createDecipheriv(cipher, key.bytes, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(boundTo(place))
        .setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]).toString('utf8');
    } catch (cause) {
      throw new SecretUnreadable('it is damaged, or was copied here from another host, plugin or key', { cause });
    }
  }

  /** Why the key that a text was encrypted with is not there; undefined if it is. */
  keyProblem(sealed: string): string | undefined {
    try {
      this.#keyOf(partsOf(sealed)[0]);
      return undefined;
    } catch (error) {
      if (error instanceof SecretUnreadable) return error.message;
      throw error;
    }
  }

  #newKey(): SecretKey {
    const key = makeKey(this.#keyFile);
    this.#onNewKey();
    return key;
  }

  /** @throws SecretUnreadable */
  #keyOf(id: string): SecretKey {
    const key = this.#key();
    if (key.id !== id) throw new SecretUnreadable(`it was encrypted with the key ${id}, and ${this.#keyFile} is the key ${key.id}: put that one back from a backup`);
    return key;
  }

  #key(): SecretKey {
    try {
      const key = readKey(this.#keyFile);
      if (key !== undefined) return key;
    } catch (cause) {
      if (cause instanceof KeyUnusable) throw new SecretUnreadable(cause.message, { cause });
      throw cause;
    }
    throw new SecretUnreadable(`the key ${this.#keyFile} is not there: put it back from a backup`);
  }
}

function partsOf(sealed: string): [id: string, bytes: Buffer] {
  const [id = '', text = ''] = sealed.slice(prefix.length).split(':');
  const bytes = Buffer.from(text, 'base64url');
  if (!isSealed(sealed) || bytes.length < nonceBytes + tagBytes) throw new SecretUnreadable('it is damaged');
  return [id, bytes];
}

/** What a value is bound to, unambiguously. */
function boundTo({ host, plugin, key }: Place): Buffer {
  return Buffer.from(JSON.stringify([host, plugin, key]));
}
