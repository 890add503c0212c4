// `domus acknowledge`: a person has seen what the house had to tell, and it is not told any more.
import type { Command } from 'commander';
import { noticeAcknowledge, noticeList } from '@majordomus/contracts';
import { CommandError } from '../failure.ts';
import { note, printLine } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';

export function addAcknowledge(program: Command, { settings }: CommandContext): void {
  program
    .command('acknowledge')
    .argument('[notice]', 'the number of the notice; all of them without it')
    .description('take note of what the house tells in "domus status"')
    .addHelpText('after', `
Examples:
  domus acknowledge
  domus acknowledge 2`)
    .action(async (given: string | undefined, _options: object, command: Command) => {
      const id = given === undefined ? undefined : Number(given);
      if (id !== undefined && (!Number.isInteger(id) || id < 1)) throw new CommandError('BAD_REQUEST', `${given} is not the number of a notice; "domus status" shows them`);
      await withClient(settings(command), async (client) => {
        const { notices } = await client.call(noticeList, {});
        if (notices.length === 0 && id === undefined) note('there is nothing to acknowledge');
        for (const notice of id === undefined ? notices : [{ id, text: '' }, ...notices].filter((one) => one.id === id).slice(-1)) {
          await client.call(noticeAcknowledge, { id: notice.id });
          printLine(`acknowledged: ${notice.id} ${notice.text}`.trimEnd());
        }
        if (notices.length > 0) tellLeft(notices.map((notice) => notice.id).filter((one) => id !== undefined && one !== id));
      });
    });
}

function tellLeft(ids: readonly number[]): void {
  note(ids.length === 0 ? 'nothing is left to acknowledge' : `not acknowledged yet: ${ids.join(', ')}`);
}
