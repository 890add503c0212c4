// Why a process cannot start: one line that says what is wrong and what to do, and an exit code that tells a
// supervisor that trying again does not help.

/** sysexits.h EX_CONFIG. */
export const exitCannotStart = 78;

const codes = ['SETTING_INVALID', 'CONFIG_FILE_INVALID', 'ADDRESS_IN_USE', 'HOME_NOT_WRITABLE', 'HOME_IN_USE', 'DATABASE_TOO_NEW', 'CANNOT_START'] as const;

export type StartErrorCode = (typeof codes)[number];

/** Thrown for a wrong setting, a port in use, a home that cannot be written; shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The line by which a process tells its supervisor, and a person, why it cannot start. */
export function startErrorLine(name: string, { code, message }: StartError): string {
  return `${name}: ${code}: ${message}`;
}

/** What a process of that name has told by `startErrorLine`; CANNOT_START for any other line. */
export function startErrorOf(name: string, line: string): StartError {
  const code = codes.find((one) => line.startsWith(`${name}: ${one}: `));
  if (code === undefined) return new StartError('CANNOT_START', line);
  return new StartError(code, line.slice(`${name}: ${code}: `.length));
}
