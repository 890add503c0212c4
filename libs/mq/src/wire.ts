// Between frames and wire form, for the transports that have frames: both sides read messages, and send them, as ZMTP has
// them on the wire (RFC 37, "Framing"). A large frame is not copied on the way.
import { Decoder, frameHeader, type Message } from '@majordomus/zmtp';
import type { Outgoing } from './mdp/broker-state.ts';
import { EMPTY, type Frames, type ToBroker } from './mdp/frames.ts';

const unlimited = { maxFrameBytes: Infinity, maxFrames: Infinity, maxMessageBytes: Infinity } as const;

type Take = (message: Message) => void;

/** Gives frames, one at the least, as the message that they would be on the wire. */
export function readAsMessage(frames: Frames, take: Take): void {
  readToBroker({ head: EMPTY, body: frames }, take);
}

/** Gives what a client or a worker sends as the message that it is to the broker. */
export function readToBroker({ head, body }: ToBroker, take: Take): void {
  const pieces = body.flatMap((frame, i) => [frameHeader(frame.length, i < body.length - 1), frame]);
  read([head, ...pieces], take);
}

/** Gives what the broker sends as the message that it is to its peer. */
export function readOutgoing({ head, body }: Outgoing, take: Take): void {
  read([head, ...body?.pieces ?? []], take);
}

/** The frames of a message that the broker sends. */
export function framesOf(outgoing: Outgoing): Frames {
  return framesRead((take) => readOutgoing(outgoing, take));
}

/** The frames of a message that a client or a worker sends. */
export function framesToBroker(message: ToBroker): Frames {
  return framesRead((take) => readToBroker(message, take));
}

function read(pieces: readonly Buffer[], take: Take): void {
  const decoder = new Decoder(unlimited, { message: take, command: () => {} });
  for (const piece of pieces) decoder.push(piece);
}

function framesRead(readTo: (take: Take) => void): Frames {
  let frames: Frames = [];
  readTo((message) => { frames = message.frames(); });
  return frames;
}
