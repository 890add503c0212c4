// What a reply means to who made the call: the result that the contract promises, or the peer's error.
import { busCodes, fieldProblems, problemsText, type Contract, type OutputOf } from '@majordomus/contracts';
import { PeerError, type CallContext } from './mdp/errors.ts';
import { errorAction } from './mdp/frames.ts';
import type { Message } from './message.ts';

/** @throws PeerError with the reply's code, or with BAD_REPLY if it is not what the contract promises */
export function callResult<C extends Contract>(contract: C, reply: Message, context: CallContext): OutputOf<C> {
  if (reply.data['status'] === false || reply.action === errorAction) throw peerError(reply, context);
  const output = contract.output.safeParse(reply.data);
  if (output.success) return output.data as OutputOf<C>;
  const problems = problemsText(fieldProblems(output.error.issues));
  throw new PeerError('BAD_REPLY', `the reply of ${context.service} to ${contract.action} is not what its contract promises: ${problems}`, context);
}

/** A reply with `status: false`, or the broker's mq.error, as an error. */
export function peerError({ data }: Message, context: CallContext): PeerError {
  const { status: _status, code, reason, ...details } = data;
  const given = typeof code === 'string' ? code : undefined;
  const text = typeof reason === 'string' && reason !== '' ? reason : (busCodes as Record<string, string>)[given ?? ''] ?? 'the peer gave no reason';
  return new PeerError(given ?? 'FAILED', text, context, details);
}
