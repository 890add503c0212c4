// How a failure during an installation is told.
import { pluginInstall, refuse } from '@majordomus/contracts';
import { isSystemError, systemReason } from '@majordomus/runtime';

/** What a failed installation is told as. The source's faults have their codes already; what is left is the disk. */
export function installFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    return refuse(pluginInstall, 'INTERRUPTED', 'packagemanager stopped during the installation; what was installed before is untouched; install again', {}, { cause: error });
  }
  if (!isSystemError(error)) return error;
  const where = error.path === undefined ? '' : ` at ${error.path}`;
  return refuse(pluginInstall, 'STORAGE_ERROR', `the package could not be written${where}: ${systemReason(error)}; free space or make the folder writable, and install again`, {}, { cause: error });
}
