// Why something could not be measured, for the person who wanted it to be.
export class BenchFailure extends Error {
  override readonly name = 'BenchFailure';
  readonly code: 'PROGRAM_FAILED' | 'COMPILER_MISSING' | 'LIBRARY_MISSING' | 'RESULT_UNREADABLE';

  constructor(code: BenchFailure['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
