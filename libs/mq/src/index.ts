// The public face of the bus.
export { Broker, type BrokerOptions } from './broker.ts';
export { Client, type CallOptions, type ClientOptions, type RequestOptions } from './client.ts';
export type { Answerer, FaultReport } from './answer.ts';
export { Handlers, type CallInfo, type Handler } from './handlers.ts';
export { MessageClient, type Asked } from './message-client.ts';
export { memoryTransport } from './memory.ts';
export { decodeMessage, encodeMessage, isBadMessage, type BadMessage, type Message } from './message.ts';
export { defaultBrokerLimits, dropKinds, type BrokerLimits, type BrokerStatus, type DropKind } from './mdp/broker-state.ts';
export type { Dialect } from './mdp/client.ts';
export { BusError, CallError, CallerError, PeerError } from './mdp/errors.ts';
export type { Frame, Frames } from './mdp/frames.ts';
export { onOwnHost, type OnOwnHost, type OwnHost } from './other-host.ts';
export { RequestWorker, type RequestWorkerOptions, type WorkerRequest } from './request-worker.ts';
export { SyncClient, type SyncCallOptions, type SyncClientOptions, type SyncRequestOptions } from './sync-client.ts';
export { TransportError, type DealerEvents, type DealerOptions, type DealerSocket, type RouterEvents, type RouterOptions, type RouterSocket, type Transport } from './transport.ts';
export { serve, type ServeOptions } from './serve.ts';
export { Worker, type BusLog, type WorkerOptions } from './worker.ts';
export { zmtpTransport } from './zmtp.ts';
