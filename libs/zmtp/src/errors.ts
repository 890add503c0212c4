// What can go wrong: the caller's address, and the peer's bytes. Each has a code that stays.

/** An address that cannot be used. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly code: 'ADDRESS_IN_USE' | 'ADDRESS_INVALID';

  constructor(code: EndpointError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a connection was ended by this side. */
export type EndReason =
  /** What came is not ZMTP 3. */
  | 'NOT_ZMTP'
  /** Another security mechanism than NULL. */
  | 'MECHANISM_UNKNOWN'
  /** A socket type that this one does not speak to (RFC 28). */
  | 'SOCKET_TYPE_MISMATCH'
  /** Another peer has this routing id. */
  | 'IDENTITY_TAKEN'
  /** The handshake took too long. */
  | 'HANDSHAKE_TIMEOUT'
  /** Nothing came for as long as was agreed (PING's time-to-live, or no PONG). */
  | 'SILENT'
  /** A frame, a message or a number of frames above the limits. */
  | 'TOO_LARGE'
  /** The peer said ERROR: it ends the connection, in the handshake or as soon as it knows who this is. */
  | 'REFUSED';
