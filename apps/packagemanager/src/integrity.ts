// What an archive must hash to, as npm writes it (Subresource Integrity): `sha512-` and the digest in base64. Weaker
// digests are not taken.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pluginInstall, refuse, type packageUpload } from '@majordomus/contracts';

const form = /^sha512-[A-Za-z0-9+/]{86}==$/;

type WithIntegrity = typeof pluginInstall | typeof packageUpload;

/** @throws ActionFailure INTEGRITY_INVALID */
export function checkIntegrityForm(integrity: string, contract: WithIntegrity = pluginInstall): void {
  if (form.test(integrity)) return;
  const told = JSON.stringify(integrity.length > 120 ? `${integrity.slice(0, 120)}…` : integrity);
  throw refuse(contract, 'INTEGRITY_INVALID', `the integrity ${told} is not "sha512-" and 88 characters of base64; npm pack prints that of an archive`);
}

/** @throws ActionFailure INTEGRITY_MISMATCH */
export function checkIntegrity(what: string, expected: string | undefined, found: string, contract: WithIntegrity = pluginInstall): void {
  if (expected === undefined || expected === found) return;
  throw refuse(contract, 'INTEGRITY_MISMATCH', `${what} is not what was expected: expected ${expected}, found ${found}; do not install it before you know why`);
}

/** What a file hashes to. @throws what the file system throws */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha512-${hash.digest('base64')}`;
}
