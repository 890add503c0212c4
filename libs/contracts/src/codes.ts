// The error codes that any call can end with, whatever the action. Those of one action stand in its contract.

/** Codes of the bus itself, with what they mean to the caller. */
export const busCodes = {
  DEADLINE_EXCEEDED: 'No answer came within the time that the caller gave. The action may have run.',
  SERVICE_UNKNOWN: 'No worker offers this service.',
  WORKER_LOST: 'The worker that held the request went away. The action may have run.',
  BROKER_LOST: 'The connection to the broker closed while the call was open. The action may have run.',
  NOT_CONNECTED: 'No broker could be reached in time; nothing was done.',
  CLIENT_CLOSED: 'The client was closed while the call was open.',
  OVERLOADED: 'Too many requests are open or waiting; nothing was done. Try again later.',
  TOO_LARGE: 'The body is larger than the broker passes on; nothing was done.',
  BAD_REQUEST: 'The request is not well formed; nothing was done.',
  FAILED: 'The service refused, and gave no code, as programs of Domogik do; the reason is its own.',
  BAD_REPLY: 'The reply does not have the form that its contract promises.',
  ACTION_UNKNOWN: 'The service has no such action.',
  NO_REPLY: 'The service took the request and gave no answer to it; it may not know the action.',
  INVALID_DATA: 'The data of the request does not fit the action; `fields` says where and why.',
  UNAVAILABLE: 'Another service that the action needs did not answer, or refused; the reason says which and why.',
  INTERNAL: 'The handler failed unexpectedly; the log of the service has the details.',
  ABORTED: 'The caller cancelled the call.',
  STOPPING: 'The service is stopping: it takes no new requests, and what it had begun may be half done.',
} as const satisfies Record<string, string>;

export type BusCode = keyof typeof busCodes;
