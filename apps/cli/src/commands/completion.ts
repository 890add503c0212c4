// `domus completion SHELL` prints what makes a shell complete; `domus complete -- WORDS` is what that asks at each Tab.
import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { complete } from '../completion/complete.ts';
import { printLine } from '../output.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(shells))
    .description('print what makes a shell complete commands, services, plugins and actions')
    .addHelpText('after', `
Examples:
  domus completion bash > ~/.local/share/bash-completion/completions/domus
  domus completion zsh > ~/.zfunc/_domus          a folder of fpath, before compinit
  domus completion fish > ~/.config/fish/completions/domus.fish
To try it in one shell: source <(domus completion bash). It completes ./domus as well as domus. What the house knows is asked of the house that runs, for 300 ms at most.`)
    .action((shell: string) => printLine(readFileSync(new URL(`../completion/domus.${shell}`, import.meta.url), 'utf8').trimEnd()));

  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      for (const line of await complete(program, words)) printLine(line);
    });
}
