// diskfree: the commands of plugin.json.
import { ActionFailure, definePlugin, type Plugin } from '@majordomus/plugin';
import manifest from '../plugin.json' with { type: 'json' };
import { Disks } from './disks.ts';

export function diskfree(disks = new Disks()): Plugin {
  return definePlugin(manifest, {
    async start({ notReady }) {
      // Where this fails it fails for every command; it is better said before.
      await disks.mounts().catch((error: unknown) => notReady(error instanceof Error ? error.message : String(error)));
    },
    helpers: {
      list: ({ parameters, signal }) => disks.list(parameters.all, signal),
      check({ parameters: { path, limit }, configuration, signal }) {
        const problem = pathProblem(path);
        if (problem !== undefined) throw new ActionFailure('PARAMETERS_INVALID', `path: ${problem}`, { fields: { path: problem } });
        return disks.check(path, limit ?? configuration.limit, signal);
      },
    },
  });
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must be absolute: it begins with "/"';
  return path.includes('\0') ? 'must not contain a null character' : undefined;
}
