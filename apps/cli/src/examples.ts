// The examples of a group of commands in its help; under a command of the group, only those of it. A command with examples of
// its own shows these alone.
import { EventEmitter } from 'node:events';
import type { AddHelpTextContext, Command } from 'commander';

/** @param text what follows the examples in the help of the group itself */
export function addExamples(group: Command, examples: readonly string[], text?: string): void {
  group.addHelpText('afterAll', ({ command }: AddHelpTextContext) => {
    if (command === group) return ['', 'Examples:', ...examples.map((line) => `  ${line}`), ...(text === undefined ? [] : [text])].join('\n');
    if (command instanceof EventEmitter && command.listenerCount('afterHelp') > 0) return '';
    const typed = `domus ${group.name()} ${command.name()}`;
    const own = examples.filter((line) => line === typed || line.startsWith(`${typed} `));
    return own.length === 0 ? '' : ['', 'Examples:', ...own.map((line) => `  ${line}`)].join('\n');
  });
}
