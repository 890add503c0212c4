// The public face of ZMTP: the sockets, and what stands in their signatures.
export { Dealer, type DealerEvents, type DealerOptions } from './dealer.ts';
export { Decoder, type DecoderLimits } from './decoder.ts';
export { EndpointError, type EndReason } from './errors.ts';
export { encodeFrames, frameHeader } from './frame.ts';
export { kept, type Message, type Tail } from './message.ts';
export type { OutboxLimits } from './outbox.ts';
export type { Heartbeat } from './peer-machine.ts';
export { Router, type RouterEvents, type RouterOptions } from './router.ts';
