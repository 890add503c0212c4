// The write-ahead log as SQLite writes it (sqlite.org/fileformat2.html, "The Write-Ahead Log"). SQLite takes a log as ended at its
// first frame that is not whole, which is right after a power cut; if commits stand behind that frame, it is damage, and they
// were acknowledged. Pure: it reads bytes, and says what is in them.

/** A page as it stands in the log. */
export interface Frame {
  /** The number of the page in the database, from 1. */
  readonly page: number;
  readonly bytes: Buffer;
  /** The size of the database in pages after the commit that this frame ends; 0 if it ends none. */
  readonly commitPages: number;
}

export interface Log {
  readonly pageBytes: number;
  /** What is whole and committed, in order, also behind damage. */
  readonly frames: readonly Frame[];
  /** Whether committed frames stand behind one that is not whole. */
  readonly isDamaged: boolean;
}

const headerBytes = 32;
const frameHeaderBytes = 24;
/** The last bit says in which order the bytes of a checksum are. */
const magic = 0x377f0682;
const pageSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768];

type Sum = readonly [number, number];

/** @param pageBytes of the database, for a log whose header is damaged */
export function readLog(bytes: Buffer, pageBytes: number): Log {
  if (bytes.length < headerBytes + frameHeaderBytes) return { pageBytes, frames: [], isDamaged: false };
  const header = readHeader(bytes, pageBytes);
  const frameBytes = frameHeaderBytes + header.pageBytes;
  const frames: Frame[] = [];
  let whole: Frame[] = [];
  let before: Sum | undefined = header.sum;
  let isBroken = header.sum === undefined;
  let isDamaged = false;
  for (let at = headerBytes; at + frameBytes <= bytes.length; at += frameBytes) {
    // Frames of an earlier life of the log follow with another salt.
    const isOurs = bytes.compare(header.salts, 0, 8, at + 8, at + 16) === 0;
    const said: Sum = [bytes.readUInt32BE(at + 16), bytes.readUInt32BE(at + 20)];
    const data = bytes.subarray(at + frameHeaderBytes, at + frameBytes);
    const isWhole = isOurs && before !== undefined && isSame(sumOf(data, sumOf(bytes.subarray(at, at + 8), before, header.isBigEndian), header.isBigEndian), said);
    // Each checksum goes on from the one before as it is written, so what follows damage can be checked all the same.
    before = isOurs ? said : undefined;
    if (!isWhole) {
      isBroken = true;
      continue;
    }
    const frame = { page: bytes.readUInt32BE(at), bytes: data, commitPages: bytes.readUInt32BE(at + 4) };
    whole.push(frame);
    if (frame.commitPages === 0) continue;
    if (isBroken) isDamaged = true;
    frames.push(...whole);
    whole = [];
  }
  return { pageBytes: header.pageBytes, frames, isDamaged };
}

interface Header {
  readonly pageBytes: number;
  readonly isBigEndian: boolean;
  readonly salts: Buffer;
  /** Undefined if the header is damaged. */
  readonly sum: Sum | undefined;
}

function readHeader(bytes: Buffer, pageBytes: number): Header {
  const isBigEndian = bytes.readUInt32BE(0) === magic + 1;
  const sum: Sum = [bytes.readUInt32BE(24), bytes.readUInt32BE(28)];
  const said = bytes.readUInt32BE(8);
  if ((isBigEndian || bytes.readUInt32BE(0) === magic) && pageSizes.includes(said) && isSame(sumOf(bytes.subarray(0, 24), [0, 0], isBigEndian), sum)) {
    return { pageBytes: said, isBigEndian, salts: bytes.subarray(16, 24), sum };
  }
  // SQLite takes the order of the machine that makes the log; the salt stands in each frame, too.
  return { pageBytes, isBigEndian: false, salts: bytes.subarray(headerBytes + 8, headerBytes + 16), sum: undefined };
}

function sumOf(bytes: Buffer, [first, second]: Sum, isBigEndian: boolean): Sum {
  let [one, two] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    one = (one + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + two) >>> 0;
    two = (two + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + one) >>> 0;
  }
  return [one, two];
}

function isSame(one: Sum, other: Sum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}
