// The frames of names. A program says the same few services and actions again and again, so each is encoded once.
import { Buffer } from 'node:buffer';

const frames = new Map<string, Buffer>();
/** More names than a house has; a program that makes names up does not fill the memory with them. */
const maxNames = 1000;

/** A name as a frame, which is not to be changed. */
export function nameFrame(name: string): Buffer {
  let frame = frames.get(name);
  if (frame === undefined) {
    if (frames.size >= maxNames) frames.clear();
    frame = Buffer.from(name);
    frames.set(name, frame);
  }
  return frame;
}
