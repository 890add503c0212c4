// `domus plugin create` and `domus plugin link`: the folder of a plugin, for its author.
import { relative, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { note } from '../output.ts';
import { typedCommand } from '../own-files.ts';
import { createPluginFolder, languages, linkPluginFolder, type Language } from '../plugin-folder.ts';

interface CreateOptions {
  readonly ts?: boolean;
  readonly js?: boolean;
  readonly python?: boolean;
  readonly folder?: string;
}

const testCommands = { ts: 'npm test', js: 'npm test', python: 'python3 -m unittest' } as const satisfies Record<Language, string>;

export function addPluginCreate(plugin: Command): void {
  plugin.command('create').argument('<name>', 'what the plugin is called')
    .addOption(new Option('--ts', 'in TypeScript, if nothing else is said').conflicts(['js', 'python']))
    .addOption(new Option('--js', 'in JavaScript').conflicts(['ts', 'python']))
    .addOption(new Option('--python', 'in Python').conflicts(['ts', 'js']))
    .option('--folder <folder>', 'the folder to be made; without it, one with the name of the plugin')
    .description('make the folder of a new plugin: an example that runs, with its tests')
    .action((name: string, options: CreateOptions) => {
      const language = options.python === true ? 'python' : options.js === true ? 'js' : 'ts';
      const folder = resolve(options.folder ?? name);
      createPluginFolder(folder, name, language);
      const shown = asTyped(folder);
      note(`made ${shown}, a plugin in ${languages[language]}; its README.md says what is where. Next:`);
      note(`  (cd ${shown} && ${testCommands[language]})`);
      note(`  ${typedCommand} plugin install ${shown} --watch`);
    });

  plugin.command('link').argument('[folder]', 'the folder of the plugin', '.')
    .description('link the folder of a plugin to this house again, as create does: after a clone, or when the house has moved')
    .action((folder: string) => {
      linkPluginFolder(resolve(folder));
      note(`${asTyped(resolve(folder))} is linked to this house`);
    });
}

/** A path as a person types it from here. */
function asTyped(path: string): string {
  const short = relative('.', path);
  if (short === '') return '.';
  return short.startsWith('..') ? path : `./${short}`;
}
