// Gives a file a name that nothing has. A rename would put it over what came there meanwhile, and that would be gone.
import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { isSystemError } from '@majordomus/runtime';

/**
 * False if something has the name: both stay as they are.
 * @throws a system error
 */
export function giveFreeName(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    rmSync(file);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    // A file system that knows one name for each file.
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    if (existsSync(name)) return false;
    renameSync(file, name);
    return true;
  }
}
