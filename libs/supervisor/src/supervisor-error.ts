// What a caller of the supervisor did that cannot be: never how a process is, which its status says.

export type SupervisorErrorCode = 'PROCESS_UNKNOWN' | 'PROCESS_EXISTS' | 'PROCESS_NAME_INVALID' | 'ABORTED' | 'SUPERVISOR_CLOSED';

export class SupervisorError extends Error {
  override readonly name = 'SupervisorError';
  readonly code: SupervisorErrorCode;

  constructor(code: SupervisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
