// The word that a peer is ready, for whoever started it: a line on descriptor 3, as every process of the house writes it.
import { writeSync } from 'node:fs';
import { readinessFd } from '@majordomus/runtime';

export function sayReady(facts: Readonly<Record<string, string>> = {}): void {
  writeSync(readinessFd, `${JSON.stringify({ state: 'ready', facts })}\n`);
}
