// The public face of ZMTP: the sockets, what stands in their signatures, and the wire form of messages for who passes
// them on, or reads them without a socket.
export { Dealer, type DealerEvents, type DealerOptions } from './dealer.ts';
export { parseRemoteEndpoint } from './endpoint.ts';
export { Decoder, type DecoderLimits } from './decoder.ts';
export { EndpointError, type EndReason } from './errors.ts';
export { encodeFrames, frameHeader } from './frame.ts';
export { kept, type Message, type Tail } from './message.ts';
export type { OutboxLimits } from './outbox.ts';
export type { Heartbeat } from './peer-machine.ts';
export { Router, type RouterEvents, type RouterOptions } from './router.ts';
