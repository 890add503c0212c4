// The public face of ZMTP: the sockets, and what stands in their signatures.
export { Dealer, type DealerEvents, type DealerOptions } from './dealer.ts';
export type { DecoderLimits } from './decoder.ts';
export { EndpointError, type EndReason } from './errors.ts';
export type { OutboxLimits } from './outbox.ts';
export type { Heartbeat } from './peer-machine.ts';
export { Router, type RouterEvents, type RouterOptions } from './router.ts';
