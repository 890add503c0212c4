// The greeting: the first 64 bytes of each side (RFC 37, section 3.2, "greeting"). It is the same for every peer, and only
// its first bytes must be judged early, so that who speaks something else is not waited for.
import { Buffer } from 'node:buffer';

export const greetingBytes = 64;
const mechanismAt = 12;
const mechanismBytes = 20;

/** ZMTP 3.1, mechanism NULL. */
export const greeting: Buffer = Buffer.alloc(greetingBytes);
greeting[0] = 0xff;
greeting[9] = 0x7f;
greeting[10] = 3;
greeting[11] = 1;
greeting.write('NULL', mechanismAt, 'latin1');

/** What a greeting says so far: `partial` asks for more bytes. */
export type Greeted = { readonly kind: 'partial' } | { readonly kind: 'wrong'; readonly why: 'NOT_ZMTP' | 'MECHANISM_UNKNOWN' } | { readonly kind: 'complete'; readonly minor: number };

const partial: Greeted = { kind: 'partial' };
const notZmtp: Greeted = { kind: 'wrong', why: 'NOT_ZMTP' };

/** Judges the first bytes of a peer. */
export function readGreeting(bytes: Buffer): Greeted {
  // The eight bytes between may hold anything: older peers have a length there.
  if (bytes.length > 0 && bytes[0] !== 0xff) return notZmtp;
  if (bytes.length > 9 && bytes[9] !== 0x7f) return notZmtp;
  if (bytes.length > 10 && (bytes[10] ?? 0) < 3) return notZmtp;
  if (bytes.length < greetingBytes) return partial;
  const mechanism = bytes.toString('latin1', mechanismAt, mechanismAt + mechanismBytes).replace(/\0+$/, '');
  if (mechanism !== 'NULL') return { kind: 'wrong', why: 'MECHANISM_UNKNOWN' };
  return { kind: 'complete', minor: bytes[11] ?? 0 };
}
