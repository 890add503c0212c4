// Why a process cannot start: one line that says what is wrong and what to do, and an exit code that tells a
// supervisor that trying again does not help.

/** sysexits.h EX_CONFIG. */
export const exitCannotStart = 78;

export type StartErrorCode =
  | 'SETTING_INVALID' | 'CONFIG_FILE_INVALID' | 'ADDRESS_IN_USE' | 'HOME_NOT_WRITABLE' | 'HOME_IN_USE' | 'DATABASE_TOO_NEW' | 'CANNOT_START';

/** Thrown for a wrong setting, a port in use, a home that cannot be written; shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
