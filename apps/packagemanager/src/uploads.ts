// Archives that other hosts bring here over the bus, part by part: on disk, bounded in size and number, forgotten when
// nothing is added for a while, and handed over once, whole and with the digest that was said.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packageUpload, pluginInstall, refuse, type RequestOf, type ResultOf } from '@majordomus/contracts';
import { isSystemError, systemReason, Turns } from '@majordomus/runtime';
import { checkIntegrity, checkIntegrityForm, hashFile } from './integrity.ts';

export interface UploadsOptions {
  /** Where they are kept; removed at the next start with everything else that is staged. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly atOnce?: number;
  readonly expiryMs?: number;
}

/** An upload that is handed over. */
export interface TakenUpload {
  /** What it was made of, for a person. */
  readonly origin: string;
  readonly integrity: string;
}

type Part = RequestOf<typeof packageUpload>;

interface Upload extends TakenUpload {
  readonly bytes: number;
  readonly file: string;
  received: number;
  /** Whether all of it is there and was found to be what was said. */
  isWhole: boolean;
  expiry: NodeJS.Timeout;
}

export class Uploads implements Disposable {
  readonly #options: Required<UploadsOptions>;
  readonly #uploads = new Map<string, Upload>();
  readonly #turns = new Turns();

  constructor(options: UploadsOptions) {
    this.#options = { atOnce: 4, expiryMs: 10 * 60_000, ...options };
  }

  /**
   * Takes a part; the same part again is taken as one.
   * @throws ActionFailure with a code of `package.upload`
   */
  async add(part: Part, signal: AbortSignal): Promise<ResultOf<typeof packageUpload>> {
    using _turn = await this.#turns.take(part.upload, signal);
    const begun = this.#uploads.get(part.upload);
    const upload = begun ?? (await this.#begin(part));
    try {
      return await this.#take(part, upload);
    } catch (error) {
      // Of one that never had a part nothing is worth being kept.
      if (begun === undefined) await this.#drop(part.upload, upload);
      throw error;
    }
  }

  async #take(part: Part, upload: Upload): Promise<ResultOf<typeof packageUpload>> {
    if (upload.bytes !== part.bytes || upload.integrity !== part.integrity) throw refused(`the upload ${part.upload} was begun with another size or integrity; begin one of another name`);
    upload.expiry.refresh();
    const data = Buffer.from(part.data, 'base64');
    const end = part.offset + data.length;
    if (end > upload.bytes) throw refused(`the part from ${part.offset} to ${end} is beyond the end of the upload, which has ${upload.bytes} bytes`);
    if (part.offset > upload.received) throw refuse(packageUpload, 'UPLOAD_NOT_FOUND', `the part from ${part.offset} comes before what is between: only ${upload.received} bytes are there`);
    if (end > upload.received) await this.#write(part.upload, upload, data, part.offset);
    if (upload.received === upload.bytes && !upload.isWhole) await this.#finish(part.upload, upload);
    return { received: upload.received, complete: upload.isWhole };
  }

  /** Hands a whole upload over, as `file`; it is gone from here after that. @throws ActionFailure UPLOAD_NOT_FOUND */
  async take(id: string, file: string): Promise<TakenUpload> {
    const upload = this.#uploads.get(id);
    if (upload === undefined || !upload.isWhole) {
      throw refuse(pluginInstall, 'UPLOAD_NOT_FOUND', `there is no whole upload ${JSON.stringify(id)}; it may have expired, so bring it again with package.upload`);
    }
    this.#forget(id, upload);
    await rename(upload.file, file);
    return { origin: upload.origin, integrity: upload.integrity };
  }

  [Symbol.dispose](): void {
    for (const [id, upload] of this.#uploads) this.#forget(id, upload);
  }

  async #begin({ upload: id, origin, bytes, integrity, offset }: Part): Promise<Upload> {
    if (offset !== 0) throw refuse(packageUpload, 'UPLOAD_NOT_FOUND', `there is no upload ${id}; it may have expired, so begin it again`);
    checkIntegrityForm(integrity, packageUpload);
    const { maxBytes, atOnce, folder, expiryMs } = this.#options;
    if (bytes > maxBytes) throw refused(`the upload is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
    if (this.#uploads.size >= atOnce) throw refused(`${atOnce} uploads are under way; try again when one has ended`);
    const upload: Upload = {
      origin, bytes, integrity, file: join(folder, id), received: 0, isWhole: false,
      expiry: setTimeout(() => void this.#drop(id, upload), expiryMs).unref(),
    };
    this.#uploads.set(id, upload);
    await this.#storing(id, upload, async () => {
      await mkdir(folder, { recursive: true });
      await using _file = await open(upload.file, 'w', 0o600);
    });
    return upload;
  }

  async #write(id: string, upload: Upload, data: Buffer, offset: number): Promise<void> {
    await this.#storing(id, upload, async () => {
      await using file = await open(upload.file, 'r+');
      for (let written = 0; written < data.length;) written += (await file.write(data, written, data.length - written, offset + written)).bytesWritten;
    });
    upload.received = offset + data.length;
  }

  async #finish(id: string, upload: Upload): Promise<void> {
    const found = await this.#storing(id, upload, () => hashFile(upload.file));
    try {
      checkIntegrity('what arrived', upload.integrity, found, packageUpload);
    } catch (error) {
      await this.#drop(id, upload);
      throw error;
    }
    upload.isWhole = true;
  }

  /** Works on the file of an upload, which is given up when that fails. */
  async #storing<T>(id: string, upload: Upload, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      await this.#drop(id, upload);
      if (!isSystemError(cause)) throw cause;
      throw refuse(packageUpload, isSystemError(cause, 'ENOSPC', 'EDQUOT') ? 'STORAGE_FULL' : 'STORAGE_ERROR', `the upload could not be written: ${systemReason(cause)}; free space on that host, and try again`, {}, { cause });
    }
  }

  #forget(id: string, upload: Upload): void {
    clearTimeout(upload.expiry);
    if (this.#uploads.get(id) === upload) this.#uploads.delete(id);
  }

  async #drop(id: string, upload: Upload): Promise<void> {
    this.#forget(id, upload);
    // What stays is removed at the next start.
    await rm(upload.file, { force: true }).catch(() => {});
  }
}

function refused(reason: string): Error {
  return refuse(packageUpload, 'UPLOAD_REFUSED', reason);
}
