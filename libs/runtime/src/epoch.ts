// Which instance of a plugin a process is, so that of two the newer one stays (docs/protocol.md, rule R15). Whoever starts a plugin
// gives the epoch; an instance that is superseded ends with an exit code of its own, and nothing is wrong with it.
import { StartError } from './start-error.ts';

/** The variable in which a plugin is told its epoch: a decimal number, higher at each start. */
export const epochVariable = 'DOMUS_EPOCH';

/** The first code after those of sysexits.h. */
export const exitSuperseded = 79;

/** Thrown by a part that a newer instance has replaced; shown as one line. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
  readonly code = 'SUPERSEDED';
}

/**
 * The epoch that this process was given; undefined for one that was started without.
 * @throws StartError SETTING_INVALID
 */
export function readEpoch(env: NodeJS.ProcessEnv): number | undefined {
  const text = env[epochVariable];
  if (text === undefined || text === '') return undefined;
  const epoch = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(epoch)) return epoch;
  throw new StartError('SETTING_INVALID', `${epochVariable}: ${JSON.stringify(text)} must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, such as the time in milliseconds`);
}

/** The answer of a broker to `mmi.epoch`: 404 is none, and so is another broker's 501. No epoch is that old. */
export function epochFrom(answer: string): number | undefined {
  const epoch = Number(answer);
  return Number.isSafeInteger(epoch) && epoch > 1000 ? epoch : undefined;
}
