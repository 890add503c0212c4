// `domus backup` and `domus restore`: a whole house as one file, and back.
import type { Command } from 'commander';
import { homePaths } from '@majordomus/runtime';
import { makeBackup } from '../backup/make-backup.ts';
import { partsOfBackup, type BackupManifest } from '../backup/manifest.ts';
import { nextCommand, restoreBackup } from '../backup/restore-backup.ts';
import { note, printLine } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { createProgress } from '../progress.ts';
import { sizeText } from '../size-text.ts';

export function addBackup(program: Command, { houseSettings }: CommandContext): void {
  program
    .command('backup')
    .argument('<file>', 'where the backup is written')
    .option('--with-keys', 'with the keys, which open the secrets in it: keep it where nobody else reads it')
    .option('--force', 'replace a file that is there')
    .description('write the house of this home into one file, while it runs or is stopped')
    .addHelpText('after', `
Examples:
  domus backup house.tgz
  domus backup --with-keys /mnt/stick/house.tgz
  domus backup house.tgz --home ~/house
It holds the database, the plugins, majordomus.toml and the name of the host. "domus restore" puts it back.`)
    .action(async (file: string, options: { readonly withKeys?: boolean; readonly force?: boolean }, command: Command) => {
      const progress = createProgress(process.stderr);
      try {
        const made = await makeBackup({ settings: houseSettings(command), file, withKeys: options.withKeys === true, force: options.force === true, onStep: progress.step });
        progress.clear();
        printLine(`${made.file}: ${sizeText(made.bytes)}; ${contentText(made.manifest)}`);
        if (made.isSealed) note('the secrets in it can be read only with the keys of this home; --with-keys takes them along');
      } finally {
        progress.clear();
      }
    });

  program
    .command('restore')
    .argument('<file>', 'a backup of "domus backup", or a daily one of the database')
    .option('--force', 'set aside what is in the home')
    .description('put a backup back into this home, whose house is stopped')
    .addHelpText('after', `
Examples:
  domus restore house.tgz --home ~/house-again
  domus restore --force house.tgz
  domus restore --force ~/house/backups/majordomus-2026-11-22T03-00-00Z.sqlite --home ~/house
Every file is compared with its checksum before anything is touched. Nothing is deleted: what was there is kept in replaced-….`)
    .action(async (file: string, options: { readonly force?: boolean }, command: Command) => {
      const { home, host } = houseSettings(command);
      const progress = createProgress(process.stderr);
      try {
        const { manifest, kept, unreadable } = await restoreBackup({ file, home, force: options.force === true, onStep: progress.step });
        progress.clear();
        printLine(manifest === undefined ? `the database of ${home} is restored from ${file}` : `${home} is restored: ${contentText(manifest)}, of ${manifest.host}, ${new Date(manifest.createdMs).toISOString()}`);
        if (kept !== undefined) note(`what was there is in ${kept}`);
        for (const secret of unreadable) note(`cannot be read without the key it was encrypted with: ${secret.key} of ${secret.plugin} on ${secret.host}`);
        if (unreadable.length > 0) note(`set these anew with "domus config set", or put the keys of the old home to ${homePaths(home).keys}`);
        note(`start it with: ${nextCommand(home, manifest, host)}`);
      } finally {
        progress.clear();
      }
    });
}

function contentText(manifest: BackupManifest): string {
  const { hasDatabase, hasKeys, hasSettings, plugins } = partsOfBackup(manifest);
  return [
    hasDatabase ? 'the database' : `no database (it is that of the house at ${manifest.join ?? 'another address'})`,
    plugins.length === 0 ? 'no plugins' : plugins.join(', '),
    ...(hasSettings ? ['majordomus.toml'] : []),
    hasKeys ? 'the keys' : 'no keys',
  ].join('; ');
}
