// Which transport carries the bus where nobody names one: our own ZMTP, or libzmq if DOMUS_TRANSPORT asks for it. The native
// module of libzmq is loaded only then.
import { TransportError, type Transport } from './transport.ts';
import { zmtpTransport } from './zmtp.ts';

const wanted = process.env['DOMUS_TRANSPORT'] ?? 'zmtp';
const chosen: Transport | undefined = wanted === 'zmtp' ? zmtpTransport : wanted === 'zeromq' ? (await import('./zeromq.ts')).zeromqTransport : undefined;

/** @throws TransportError TRANSPORT_UNKNOWN */
export function defaultTransport(): Transport {
  if (chosen === undefined) throw new TransportError('TRANSPORT_UNKNOWN', `DOMUS_TRANSPORT is ${JSON.stringify(wanted)}; it must be zmtp or zeromq`);
  return chosen;
}
