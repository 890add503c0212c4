// The system programs that the suites would use, told in one line. The list is a text file, because .ci/run reads it
// too, before there is a Node that runs this.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** A program, or what else a Debian package has, that is no npm package. */
export interface SystemProgram {
  /** The program, or the absolute path of a file or folder. */
  readonly name: string;
  /** The Debian package that has it. */
  readonly debianPackage: string;
  readonly purpose: string;
}

const list = new URL('./system-programs.txt', import.meta.url);

/** Reads the list: a program a line, its name, its package and its purpose separated by blanks. */
export function systemPrograms(text = readFileSync(list, 'utf8')): SystemProgram[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [name = '', debianPackage = '', ...purpose] = line.split(/\s+/);
    return { name, debianPackage, purpose: purpose.join(' ') };
  });
}

/** One line for a person: what the suites used, and what they would have used and did not find on `path`. */
export function systemProgramsLine(programs: readonly SystemProgram[], path: string): string {
  const missing = programs.filter(({ name }) => !(isAbsolute(name) ? existsSync(name) : isOnPath(name, path)));
  if (missing.length === 0) return `system programs: ${programs.map(({ name }) => name).join(', ')}; all found`;
  const told = missing.map(({ name, debianPackage, purpose }) => `${name} (package ${debianPackage}; ${purpose})`);
  return `system programs: not found, so that some tests prove less or are skipped: ${told.join(', ')}`;
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
