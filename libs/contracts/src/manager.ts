// manager: the plugins of a host as running processes.
import { z } from 'zod';
import { contract } from './contract.ts';
import { pluginId } from './names.ts';
import { logReply, logRequest, processMemory, processStatus } from './process-status.ts';

const plugin = {
  id: z.string().describe('the plugin as `host.name`'),
  host: z.string().describe('the host it runs on'),
} as const;

export const pluginStatus = processStatus
  .extend(processMemory.shape)
  .extend({
    ...plugin,
    name: z.string().describe('its name on that host'),
    version: z.string().describe('the version that is installed; empty if its package cannot be used'),
    autostart: z.boolean().describe('whether it starts by itself with the house'),
  })
  .meta({ id: 'PluginStatus', description: 'An installed plugin as a process.' });
export type PluginStatus = z.infer<typeof pluginStatus>;

const errors = {
  PLUGIN_NOT_FOUND: 'No such plugin is installed on this host.',
  HOST_UNKNOWN: 'No manager of that host is on the bus.',
} as const;
const startErrors = { ...errors, ENGINE_MISMATCH: 'The plugin does not work with this version of Majordomus.' } as const;

const target = z.object({ id: pluginId });

export const pluginStart = contract({
  service: 'manager',
  action: 'plugin.start',
  aliases: ['plugin.start.do'],
  summary: 'Starts a plugin, now and with the house from now on; answered when it is ready or says why not.',
  idempotent: true,
  input: target,
  output: z.object({
    ...plugin,
    pid: processStatus.shape.pid,
    state: processStatus.shape.state,
    detail: z.string().describe('what it waits for, or why it is not running; empty if all is well'),
  }),
  errors: startErrors,
});

export const pluginStop = contract({
  service: 'manager',
  action: 'plugin.stop',
  aliases: ['plugin.stop.do'],
  summary: 'Stops a plugin, and does not start it with the house any more; answered when its process has ended.',
  idempotent: true,
  input: target,
  output: pluginStart.output,
  errors,
});

export const pluginRestart = contract({
  service: 'manager',
  action: 'plugin.restart',
  aliases: ['plugin.restart.do'],
  summary: 'Stops a plugin and starts it again.',
  input: target,
  output: pluginStart.output,
  errors: startErrors,
});

export const pluginList = contract({
  service: 'manager',
  action: 'plugin.list',
  summary: 'Every installed plugin of a host and how it is.',
  idempotent: true,
  input: z.object({}),
  output: z.object({ plugins: z.array(pluginStatus).describe('every installed plugin') }),
});

export const pluginStatusGet = contract({
  service: 'manager',
  action: 'plugin.status',
  summary: 'How one plugin is, with the last lines of its log, and the last words of its run that failed.',
  idempotent: true,
  input: target,
  output: z.object({
    plugin: pluginStatus.describe('how it is'),
    log: z.array(z.string()).describe('the last lines of its log'),
    lastWords: z.array(z.string()).describe('the last lines of the run that ended unasked last, whose end `lastError` tells; empty without one'),
  }),
  errors,
});

export const pluginLog = contract({
  service: 'manager',
  action: 'plugin.log',
  summary: 'The last lines of a plugin’s log; `after` reads on from an earlier reply.',
  idempotent: true,
  input: logRequest.extend({ id: pluginId }),
  output: logReply.extend({ id: plugin.id }),
  errors,
});
