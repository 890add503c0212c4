// Questions to a person at a terminal (@clack/prompts, loaded only when something is asked). They are asked on standard error,
// so that what a command prints can still be piped.
import { CommandError } from './failure.ts';

export interface Question {
  readonly name: string;
  readonly description: string;
  /** For a person: `text`, `whole number, 1 to 100`. */
  readonly type: string;
  /** Whether there must be an answer. */
  readonly required: boolean;
  /** Whether the answer is not shown. */
  readonly secret?: boolean;
  /** What can be chosen from; anything can be typed where there is none. */
  readonly values?: readonly Choice[];
  /** What is there to begin with. */
  readonly initial?: string | undefined;
  /** What happens without an answer, such as `90`. */
  readonly otherwise?: string | undefined;
  /** Why an answer is not taken. */
  readonly problem?: (text: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly description?: string;
}

/** Whether somebody is there who could answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** The answer as it was typed or chosen; undefined if it was left out. @throws CommandError CANCELLED */
export async function ask(question: Question): Promise<string | undefined> {
  const { isCancel, password, select, text } = await import('@clack/prompts');
  const { name, description, type, required, values = [], initial, otherwise, problem, secret = false } = question;
  const output = process.stderr;
  const message = description === '' ? name : `${name}: ${description}`;
  const answer = values.length > 0
    ? await select({
      message, output,
      options: [
        // First, so that Enter leaves it out, as it does where something is typed.
        ...(required ? [] : [{ value: '', label: otherwise === undefined ? '(leave out)' : `(leave out: ${otherwise})` }]),
        ...values.map((choice) => ({ value: choice.value, label: choice.value, ...(choice.description !== undefined && { hint: choice.description }) })),
      ],
      ...(initial !== undefined && { initialValue: initial }),
    })
    : await (secret ? password : text)({
      message, output,
      placeholder: required ? type : `${type}; Enter ${otherwise === undefined ? 'leaves it out' : `for ${otherwise}`}`,
      ...(initial !== undefined && { initialValue: initial }),
      validate: (typed) => (typed === undefined || typed === '' ? (required ? 'is needed' : undefined) : problem?.(typed)),
    });
  if (isCancel(answer)) throw new CommandError('CANCELLED', 'nothing was sent');
  return answer === '' || answer === undefined ? undefined : answer;
}
