// How a failure during an installation is told.
import { ActionFailure, pluginInstall, refuse } from '@majordomus/contracts';
import { isSystemError, systemReason } from '@majordomus/runtime';

/** What a failed installation is told as. The source's faults have their codes already; what is left is the disk. */
export function installFailure(error: unknown, signal: AbortSignal): unknown {
  // What is under way in the health gate is told by who knows it.
  if (error instanceof ActionFailure && (error.code === 'INTERRUPTED' || error.code === 'NOT_HEALTHY')) return error;
  if (signal.aborted) {
    return refuse(pluginInstall, 'INTERRUPTED', 'packagemanager stopped during the installation; what was installed before is untouched; install again', {}, { cause: error });
  }
  if (!isSystemError(error)) return error;
  const where = error.path === undefined ? '' : ` at ${error.path}`;
  const code = isSystemError(error, 'ENOSPC', 'EDQUOT') ? 'STORAGE_FULL' : 'STORAGE_ERROR';
  return refuse(pluginInstall, code, `the package could not be written${where}: ${systemReason(error)}; free space or make the folder writable, and install again`, {}, { cause: error });
}
