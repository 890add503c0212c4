// The settings among the options of a command line.
import type { Command } from 'commander';
import type { SettingSources } from '@majordomus/runtime';

/** The settings among the options of a command and of those above it, by their names. */
export function flagsOf(command: Command): SettingSources['flags'] {
  const flags: Record<string, string> = {};
  for (const [key, value] of Object.entries(command.optsWithGlobals<Record<string, unknown>>())) {
    if (typeof value === 'string') flags[key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)] = value;
  }
  return flags;
}
