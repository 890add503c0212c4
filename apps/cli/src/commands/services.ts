// `domus services`: who offers what on the bus, and what the broker had to drop.
import type { Command } from 'commander';
import { dropKinds, type BrokerStatus, type DropKind } from '@majordomus/mq';
import { printJson, printLine, styled, table } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { withClient } from '../session.ts';

export function addServices(program: Command, { settings }: CommandContext): void {
  program
    .command('services')
    .option('--json', 'the broker’s whole status as JSON')
    .description('list the services on the bus')
    .addHelpText('after', `
Examples:
  domus services
  domus services --json`)
    .action(async (options: { json?: boolean }, command: Command) => {
      const status = await withClient(settings(command), async (client) => JSON.parse(await client.manage('mmi.majordomus')) as BrokerStatus);
      if (options.json === true) printJson(status);
      else print(status);
    });
}

function print({ services, dropped, refused, clients, open }: BrokerStatus): void {
  const rows = services.map(({ name, workers, waiting, served }) => [name, String(workers), String(waiting), String(served)]);
  printLine(table(['SERVICE', 'WORKERS', 'WAITING', 'SERVED'], rows));
  printLine(styled('dim', `${clients} clients, ${open} requests open`));
  for (const [kind, count] of Object.entries(dropped)) if (count > 0) printLine(`dropped ${count} × ${dropKinds[kind as DropKind]}`);
  for (const [code, count] of Object.entries(refused)) if (count > 0) printLine(`answered ${count} × ${code}`);
}
