// What a bad line does to frames: pieces, garbage between them, frames that are lost. Pure, and the same each time.

export interface Faults {
  /** Each byte comes alone. */
  readonly fragment: boolean;
  /** Garbage stands before every so many frames; 0 for never. */
  readonly garbleEvery: number;
  /** Every so many frames one is lost; 0 for never. */
  readonly dropEvery: number;
}

export const noFaults: Faults = { fragment: false, garbleEvery: 0, dropEvery: 0 };

/** The worst kind: whole it is no frame, and it ends as one begins. */
export const garbage = Uint8Array.from([0x00, 0x04, 0xff, 0x0f, 0x0f, 0xf8, 0x01, 0x02, 0x02, 0x04, 0x99, 0x04, 0x0f, 0xfb, 0x01]);

/** The pieces in which the frame with a number, counted from 1, comes out of the line. */
export function spoil(frame: Uint8Array, number: number, { fragment, garbleEvery, dropEvery }: Faults): Uint8Array[] {
  const isDropped = dropEvery > 0 && number % dropEvery === 0;
  const isGarbled = garbleEvery > 0 && number % garbleEvery === 0;
  const bytes = Buffer.concat([...(isGarbled ? [garbage] : []), ...(isDropped ? [] : [frame])]);
  if (!fragment) return bytes.length === 0 ? [] : [bytes];
  return [...bytes].map((byte) => Uint8Array.of(byte));
}
