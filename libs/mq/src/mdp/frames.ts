// The constants of the wire: MDP/0.1 (ZeroMQ RFC 7) and our own CANCEL (docs/protocol.md, "Frames").
// Frames are compared by content, never by identity, because peers send their own.
import { Buffer } from 'node:buffer';

/** One frame of a ZeroMQ message. */
export type Frame = Buffer;
/** A message without the routing id that a ROUTER puts in front. */
export type Frames = Frame[];

/** What a client or a worker sends: the frames before the body in wire form, and those of the body, which may be none. */
export interface ToBroker {
  readonly head: Buffer;
  readonly body: Frames;
}

export const EMPTY: Frame = Buffer.alloc(0);
export const MDPC: Frame = Buffer.from('MDPC01');
export const MDPW: Frame = Buffer.from('MDPW01');

/** The commands of the worker dialect, by number. */
export const command = { ready: 1, request: 2, reply: 3, heartbeat: 4, disconnect: 5, cancel: 6 } as const;

export const READY: Frame = Buffer.from([command.ready]);
export const REQUEST: Frame = Buffer.from([command.request]);
export const REPLY: Frame = Buffer.from([command.reply]);
export const HEARTBEAT: Frame = Buffer.from([command.heartbeat]);
export const DISCONNECT: Frame = Buffer.from([command.disconnect]);
export const CANCEL: Frame = Buffer.from([command.cancel]);

/** Names that begin so belong to the management interface (RFC 8). */
export const mmiPrefix = 'mmi.';
/** The action of a reply that the broker itself, or a worker that does not know the action, gives (rule R7, W3). */
export const errorAction = 'mq.error';
export const maxServiceNameBytes = 255;
/** Rule R1: a client's own address frames, at most. */
export const maxAddressFrames = 8;
export const maxAddressBytes = 1024;
/** The frame after DISCONNECT that tells an instance to end itself, because a newer one has taken its service over (rule R15). */
export const SUPERSEDED: Frame = Buffer.from('superseded');
