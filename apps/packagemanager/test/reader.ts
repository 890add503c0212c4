// The readers of what a stranger packs, as a process for the fuzz: each line of its input is a manifest or names an archive, each
// line of its output says what became of it.
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ActionFailure } from '@majordomus/contracts';
import { unpackArchive } from '../src/archive.ts';
import { parseManifest } from '../src/manifest-file.ts';

/** Small, so that a bomb is a small file too. */
const limits = { entries: 200, bytes: 2 * 1024 * 1024 };

type Line =
  /** As base64. */
  | { readonly manifest: string }
  /** A file, and where it is unpacked; the folder is made here. */
  | { readonly archive: string; readonly folder: string };

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as Line;
  try {
    if ('manifest' in line) {
      parseManifest(Buffer.from(line.manifest, 'base64'));
    } else {
      mkdirSync(line.folder, { recursive: true });
      await unpackArchive(line.archive, line.folder, { limits, signal: AbortSignal.timeout(60_000) });
    }
    console.log(JSON.stringify({ ok: true }));
  } catch (error) {
    console.log(JSON.stringify(error instanceof ActionFailure
      ? { ok: false, code: error.code, reason: error.message }
      : { ok: false, code: 'THROWN', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
  }
}
