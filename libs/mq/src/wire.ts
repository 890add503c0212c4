// Between frames and wire form, for the transports that have frames: the broker reads and passes on messages as ZMTP has
// them on the wire (RFC 37, "Framing"). A large frame is not copied on the way.
import { Decoder, frameHeader, type Message } from '@majordomus/zmtp';
import type { Outgoing } from './mdp/broker-state.ts';
import type { Frames } from './mdp/frames.ts';

const unlimited = { maxFrameBytes: Infinity, maxFrames: Infinity, maxMessageBytes: Infinity } as const;

/** Gives frames, one at the least, as the message that they would be on the wire. */
export function readAsMessage(frames: Frames, take: (message: Message) => void): void {
  const decoder = new Decoder(unlimited, { message: take, command: () => {} });
  for (const [i, frame] of frames.entries()) {
    decoder.push(frameHeader(frame.length, i < frames.length - 1));
    if (frame.length > 0) decoder.push(frame);
  }
}

/** The frames of a message that the broker sends. */
export function framesOf({ head, body }: Outgoing): Frames {
  let frames: Frames = [];
  const decoder = new Decoder(unlimited, { message: (message) => { frames = message.frames(); }, command: () => {} });
  decoder.push(head);
  for (const piece of body?.pieces ?? []) decoder.push(piece);
  return frames;
}
