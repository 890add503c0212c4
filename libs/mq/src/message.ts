// A body as the house understands it: an action and one JSON object (docs/protocol.md, "Frames").
import type { JsonObject } from '@majordomus/contracts';
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
  const [actionFrame, dataFrame] = body;
  if (actionFrame === undefined || actionFrame.length === 0) return { action: undefined, problem: 'the body has no action frame' };
  const action = actionFrame.toString();
  if (body.length > 2) return { action, problem: `the body has ${body.length} frames; it needs an action and data` };
  if (dataFrame === undefined || dataFrame.length === 0) return { action, data: {} };
  let data: unknown;
  try {
    data = JSON.parse(dataFrame.toString());
  } catch (error) {
    return { action, problem: `the data is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { action, problem: 'the data is not a JSON object' };
  return { action, data: data as JsonObject };
}

export function isBadMessage(message: Message | BadMessage): message is BadMessage {
  return 'problem' in message;
}
