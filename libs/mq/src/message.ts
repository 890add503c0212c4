// A body as the house understands it: an action and one JSON object (docs/protocol.md, "Frames").
import { Buffer } from 'node:buffer';
import type { JsonObject } from '@majordomus/contracts';
import type { Message as WireMessage } from '@majordomus/zmtp';
import type { Frames } from './mdp/frames.ts';
import { nameFrame } from './name-frame.ts';

export interface Message {
  readonly action: string;
  readonly data: JsonObject;
}

/** Two frames: the action, and the data as JSON. */
export function encodeMessage({ action, data }: Message): Frames {
  return [nameFrame(action), Buffer.from(JSON.stringify(data))];
}

/** A body that is not an action and a JSON object, with the reason for a person. */
export interface BadMessage {
  readonly action: string | undefined;
  readonly problem: string;
}

/** Reads a body; an absent or empty data frame is an empty object. */
export function decodeMessage(body: Frames): Message | BadMessage {
  return read(body.length, (frame) => body[frame]?.toString() ?? '');
}

/** Reads a body where it stands: the frames of an arrived message from this one on. */
export function decodeArrived(message: WireMessage, bodyAt: number): Message | BadMessage {
  return read(message.count - bodyAt, (frame) => message.text(bodyAt + frame));
}

function read(frames: number, textOf: (frame: number) => string): Message | BadMessage {
  const action = textOf(0);
  if (action === '') return { action: undefined, problem: 'the body has no action frame' };
  if (frames > 2) return { action, problem: `the body has ${frames} frames; it needs an action and data` };
  let data: unknown;
  try {
    const text = textOf(1);
    data = text === '' ? {} : JSON.parse(text);
  } catch (error) {
    return { action, problem: `the data is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { action, problem: 'the data is not a JSON object' };
  return { action, data: data as JsonObject };
}

export function isBadMessage(message: Message | BadMessage): message is BadMessage {
  return 'problem' in message;
}
