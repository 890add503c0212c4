import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { packageUpload, RequestOf } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/packages.ts';
import { integrityOf } from '../test/registry.ts';
import { Uploads, type UploadsOptions } from './uploads.ts';

const { signal } = new AbortController();
type Part = RequestOf<typeof packageUpload>;

function partOf(archive: Uint8Array, from: number, to: number, more: Partial<Part> = {}): Part {
  return {
    upload: '00000000-0000-4000-8000-000000000000', origin: 'igor:/lamp', bytes: archive.length, integrity: integrityOf(archive),
    offset: from, data: Buffer.from(archive.subarray(from, to)).toString('base64'), ...more,
  };
}

async function newUploads(options: Partial<UploadsOptions> = {}) {
  const folder = await temporaryFolder();
  const uploads = new Uploads({ folder: join(folder.path, 'uploads'), maxBytes: 1_000_000, ...options });
  return {
    uploads,
    folder: folder.path,
    add: (part: Part) => uploads.add(part, signal),
    async [Symbol.asyncDispose]() {
      uploads[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('an upload', () => {
  it('is whole when all parts have come, whatever came twice, and is handed over once', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 500 }), fc.array(fc.nat(500), { maxLength: 8 }), fc.array(fc.nat(20), { maxLength: 5 }), async (archive, cuts, again) => {
      await using house = await newUploads();
      const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < archive.length))].sort((a, b) => a - b);
      const parts = [...ends, archive.length].map((end, index) => partOf(archive, index === 0 ? 0 : (ends[index - 1] ?? 0), end));
      for (const [index, part] of parts.entries()) {
        const end = part.offset + Buffer.from(part.data, 'base64').length;
        expect(await house.add(part)).toEqual({ received: end, complete: index === parts.length - 1 });
        const earlier = parts[(again[index] ?? 0) % (index + 1)] ?? part;
        expect(await house.add(earlier)).toEqual({ received: end, complete: index === parts.length - 1 });
      }
      const file = join(house.folder, 'taken');
      expect(await house.uploads.take(parts[0]?.upload ?? '', file)).toEqual({ origin: 'igor:/lamp', integrity: integrityOf(archive) });
      expect(new Uint8Array(await readFile(file))).toEqual(archive);
      await expect(house.uploads.take(parts[0]?.upload ?? '', file)).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    }), { numRuns: 25 });
  });

  const archive = randomBytes(1000);

  it.each<[what: string, parts: Part[], code: string, reason: RegExp]>([
    ['that begins in the middle', [partOf(archive, 10, 20)], 'UPLOAD_NOT_FOUND', /begin it again/],
    ['with a part left out', [partOf(archive, 0, 10), partOf(archive, 20, 30)], 'UPLOAD_NOT_FOUND', /only 10 bytes are there/],
    ['that changes its size', [partOf(archive, 0, 10), partOf(archive, 10, 20, { bytes: 500 })], 'UPLOAD_REFUSED', /another size or integrity/],
    ['that goes beyond its end', [partOf(archive, 0, 20, { bytes: 10 })], 'UPLOAD_REFUSED', /beyond the end/],
    ['that is too large', [partOf(archive, 0, 10, { bytes: 2_000_000 })], 'UPLOAD_REFUSED', /larger than 0 MiB/],
    ['with no integrity', [partOf(archive, 0, 10, { integrity: 'sha1-x' })], 'INTEGRITY_INVALID', /"sha1-x"/],
    ['of something else', [partOf(archive, 0, 1000, { integrity: integrityOf(randomBytes(3)) })], 'INTEGRITY_MISMATCH', /what arrived is not what was expected/],
  ])('%s is refused', async (_what, parts, code, reason) => {
    await using house = await newUploads();
    for (const part of parts.slice(0, -1)) await house.add(part);
    await expect(house.add(parts.at(-1) ?? partOf(archive, 0, 1))).rejects.toMatchObject({ code, message: expect.stringMatching(reason) as string });
  });

  it('that is not whole is not handed over', async () => {
    await using house = await newUploads();
    await house.add(partOf(archive, 0, 10));
    await expect(house.uploads.take(partOf(archive, 0, 10).upload, join(house.folder, 'taken'))).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
  });

  it('waits until another has ended when there are too many', async () => {
    await using house = await newUploads({ atOnce: 2 });
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    await house.add(partOf(archive, 0, 1000, { upload: first }));
    await house.add(partOf(archive, 0, 10, { upload: second }));
    await expect(house.add(partOf(archive, 0, 10, { upload: third }))).rejects.toMatchObject({ code: 'UPLOAD_REFUSED', message: expect.stringMatching(/2 uploads are under way/) as string });
    await house.uploads.take(first, join(house.folder, 'taken'));
    await expect(house.add(partOf(archive, 0, 10, { upload: third }))).resolves.toEqual({ received: 10, complete: false });
  });

  it('whose first part is refused takes no place', async () => {
    await using house = await newUploads({ atOnce: 1 });
    await expect(house.add(partOf(archive, 0, 1000, { bytes: 10 }))).rejects.toMatchObject({ code: 'UPLOAD_REFUSED' });
    await expect(house.add(partOf(archive, 0, 10, { upload: randomUUID() }))).resolves.toEqual({ received: 10, complete: false });
  });

  it('to which nothing is added for a while is forgotten, with its file', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await using house = await newUploads({ expiryMs: 60_000 });
      await house.add(partOf(archive, 0, 10));
      vi.advanceTimersByTime(50_000);
      await house.add(partOf(archive, 10, 20));
      vi.advanceTimersByTime(50_000);
      await house.add(partOf(archive, 20, 30));
      vi.advanceTimersByTime(60_000);
      await expect(house.add(partOf(archive, 30, 40))).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
      await vi.waitUntil(async () => (await readdir(join(house.folder, 'uploads'))).length === 0);
    } finally {
      vi.useRealTimers();
    }
  });
});
