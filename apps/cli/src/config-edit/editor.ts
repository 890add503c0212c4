// A person's own editor on a file, as $VISUAL or $EDITOR names it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CommandError } from '../failure.ts';
import { typedCommand } from '../own-files.ts';

const usual = ['editor', 'nano', 'vim', 'vi'] as const;

/** Waits until the editor is closed. @throws CommandError EDITOR_FAILED */
export async function openEditor(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const editor = env['VISUAL'] || env['EDITOR'] || usual.find((name) => isOnPath(name, env['PATH'] ?? ''));
  if (editor === undefined) throw new CommandError('EDITOR_FAILED', `there is no editor; say which one by EDITOR, as in: EDITOR=nano ${typedCommand} config edit`);
  // Ctrl-C in the editor is the editor's.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    // By the shell, since it may have arguments: `code --wait`.
    const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit' });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code !== 0) throw new CommandError('EDITOR_FAILED', `the editor (${editor}) ended with ${signal ?? `exit code ${code}`}; nothing was changed`);
  } finally {
    process.off('SIGINT', ignore);
  }
}

function isOnPath(name: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
