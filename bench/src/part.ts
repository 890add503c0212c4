// A part of the house as the program that it is.
import { nodeProgram, startProgram, type Environment, type RunningProgram } from './program.ts';

export interface PartOptions {
  /** A command that runs it and becomes it. */
  readonly wrapper?: readonly string[];
  /** Beside the environment of this process. */
  readonly env?: Environment;
  /** Where its standard error goes: to ours, or to `errors` of what is returned. */
  readonly errors?: 'inherit' | 'pipe';
}

/**
 * Starts `apps/<name>`, and waits until it is ready.
 * @throws BenchFailure PROGRAM_FAILED if it ends before
 */
export async function startPart(name: 'broker' | 'dbmanager', args: readonly string[], { wrapper = [], env, errors }: PartOptions = {}): Promise<RunningProgram> {
  return await startProgram([...wrapper, ...nodeProgram(`../../apps/${name}/src/main.ts`, ...args, '--log-level', 'silent')], env, errors);
}
