// The plugin that the tests of the kit run.
import { definePlugin, type Plugin, type PluginDefinition } from '../src/define-plugin.ts';
import manifest from './plugin.json' with { type: 'json' };

type Definition = PluginDefinition<typeof manifest>;

/** The heating, with what a test wants to be different. */
export function heating({ start, stop, warm, off }: Pick<Definition, 'start' | 'stop'> & Partial<Definition['helpers']> = {}): Plugin {
  return definePlugin(manifest, {
    ...(start && { start }),
    ...(stop && { stop }),
    helpers: {
      warm: warm ?? (({ parameters, configuration }) => ({ at: configuration.port, room: parameters.room, degrees: parameters.degrees })),
      off: off ?? (() => null),
    },
  });
}

export const configured = { port: '/dev/ttyS1' } as const;
