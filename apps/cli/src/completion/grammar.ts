// Where in the command line a word stands: which command it belongs to, what was given before it, and what may follow.
// Commander's own tree of commands is the only grammar. Pure.
import type { Argument, Command, Option } from 'commander';

/** What can be completed, with a word for the person. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Where the word to be completed stands. */
export interface Position {
  readonly command: Command;
  /** What was given to the command before the word, options left out. */
  readonly operands: readonly string[];
  /** Options with a value that were given, by their names without dashes. */
  readonly options: Readonly<Record<string, string>>;
  /** What stands there: a value of an option, an option, a command, or an operand (undefined if the command takes no more). */
  readonly wanted:
    | { readonly kind: 'value'; readonly option: Option; readonly prefix: string }
    | { readonly kind: 'option' }
    | { readonly kind: 'command' }
    | { readonly kind: 'operand'; readonly argument: Argument | undefined };
}

/** Finds the position of `word`, which comes after `before` (the words of the line without the program). */
export function positionOf(program: Command, before: readonly string[], word: string): Position {
  let command = program;
  const operands: string[] = [];
  const options: Record<string, string> = {};
  let pending: Option | undefined;
  let onlyOperands = false;
  for (const given of before) {
    if (pending !== undefined) {
      options[nameOf(pending)] = given;
      pending = undefined;
    } else if (onlyOperands || !given.startsWith('-') || given === '-') {
      const next = operands.length === 0 ? command.commands.find((one) => one.name() === given || one.aliases().includes(given)) : undefined;
      if (next === undefined) operands.push(given);
      else command = next;
    } else if (given === '--') onlyOperands = true;
    else {
      const { option, value } = optionOf(command, given);
      if (option !== undefined && value !== undefined) options[nameOf(option)] = value;
      else if (option !== undefined && takesValue(option)) pending = option;
    }
  }
  return { command, operands, options, wanted: wantedAt() };

  function wantedAt(): Position['wanted'] {
    if (pending !== undefined) return { kind: 'value', option: pending, prefix: '' };
    if (!onlyOperands && word.startsWith('-')) {
      const { option, value } = optionOf(command, word);
      return option !== undefined && value !== undefined ? { kind: 'value', option, prefix: word.slice(0, word.length - value.length) } : { kind: 'option' };
    }
    if (command.commands.length > 0 && operands.length === 0) return { kind: 'command' };
    const last = command.registeredArguments.at(-1);
    return { kind: 'operand', argument: command.registeredArguments[operands.length] ?? (last?.variadic === true ? last : undefined) };
  }
}

/** The commands under a command. */
export function commandsAt(command: Command): Candidate[] {
  return command.createHelp().visibleCommands(command).map((one) => ({ value: one.name(), description: one.description() }));
}

/** The options of a command and of those above it. */
export function optionsAt(command: Command): Candidate[] {
  const help = Object.assign(command.createHelp(), { showGlobalOptions: true });
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
    .flatMap(({ long, short, description }) => [long, short].filter((flag) => flag !== undefined).map((value) => ({ value, description })));
}

/** The name of an option without dashes. */
export function nameOf(option: Option): string {
  return (option.long ?? option.short ?? '').replace(/^--?/, '');
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** The option that a word names, also by its last letter in `-fn`, and its value in `--lines=5`. */
function optionOf(command: Command, word: string): { readonly option: Option | undefined; readonly value: string | undefined } {
  const [flag = '', ...rest] = word.split('=');
  const value = word.startsWith('--') && rest.length > 0 ? rest.join('=') : undefined;
  const name = flag.startsWith('--') ? flag : `-${flag.at(-1) ?? ''}`;
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const option = at.options.find(({ long, short }) => long === name || short === name);
    if (option !== undefined) return { option, value };
  }
  return { option: undefined, value };
}
