// The answer to a shell that completes a word: one candidate a line with its description after a tab, or `:files` or
// `:folders` where the shell itself knows better.
import type { Command } from 'commander';
import { commandsAt, nameOf, optionsAt, positionOf, type Candidate, type Position } from './grammar.ts';
import { HouseView } from './house-view.ts';
import { argumentSources, optionSources, type Offer } from './sources.ts';

/** What may stand in place of the last of `words`. Never rejects for want of a house. */
export async function complete(program: Command, words: readonly string[]): Promise<readonly string[]> {
  const word = words.at(-1) ?? '';
  const position = positionOf(program, words.slice(0, -1), word);
  await using house = new HouseView(position.options);
  const prefix = position.wanted.kind === 'value' ? position.wanted.prefix : '';
  const offer = await offerAt(position, house, word);
  if (typeof offer === 'string') return [`:${offer}`];
  return offer.map(({ value, description }) => ({ value: prefix + value, description })).filter(({ value }) => value.startsWith(word) && isSafe(value)).map(asLine);
}

async function offerAt({ command, operands, wanted }: Position, house: HouseView, word: string): Promise<Offer> {
  switch (wanted.kind) {
    case 'command':
      return commandsAt(command);
    case 'option':
      return optionsAt(command);
    case 'value': {
      const { argChoices } = wanted.option;
      return argChoices?.map(bare) ?? (await optionSources[nameOf(wanted.option)]?.(house, operands, word)) ?? [];
    }
    case 'operand': {
      if (wanted.argument === undefined) return optionsAt(command);
      return wanted.argument.argChoices?.map(bare) ?? (await argumentSources[wanted.argument.name()]?.(house, operands, word)) ?? [];
    }
    default:
      return wanted satisfies never;
  }
}

function bare(value: string): Candidate {
  return { value, description: '' };
}

/** A word that means itself in every shell, without quotes: names come from the bus, where anything may be called anything. */
function isSafe(value: string): boolean {
  return /^[\w.:@%+=,/-]+$/.test(value);
}

/** Nothing in a description may look like its end, or be obeyed by a terminal. */
function asLine({ value, description }: Candidate): string {
  const text = description.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return text === '' ? value : `${value}\t${text}`;
}
