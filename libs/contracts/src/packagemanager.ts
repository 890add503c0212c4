// packagemanager: the plugin packages installed on a host.
import { z } from 'zod';
import { contract } from './contract.ts';
import { manifest, semanticVersion } from './manifest.ts';
import { pluginId } from './names.ts';

/** The steps of an installation, in order. */
export const installSteps = ['resolve', 'fetch', 'verify', 'link', 'sync', 'switch'] as const;

export const job = z
  .object({
    id: z.string().describe('the job, for `job.get`'),
    state: z.enum(['running', 'done', 'failed']).describe('whether it is under way, or how it ended'),
    source: z.string().describe('what is installed'),
    step: z.enum(installSteps).describe('the step it is in, or ended with'),
    percent: z.number().int().min(0).max(100).describe('how much is done'),
    plugin: z.string().optional().describe('the name of the plugin, once its manifest was read'),
    version: z.string().optional().describe('its version, once its manifest was read'),
    error: z
      .object({
        code: z.string().describe('one of the codes of `plugin.install`'),
        reason: z.string().describe('what happened, for a person'),
        fields: z.record(z.string(), z.string()).optional().describe('a reason for each field that is wrong'),
      })
      .optional()
      .describe('why it failed, if it did'),
  })
  .meta({ id: 'Job', description: 'An installation that is under way, or how it ended.' });
export type Job = z.infer<typeof job>;

export const installedPackage = z
  .object({
    name: z.string().describe('the name of the plugin'),
    version: semanticVersion,
    description: z.string().describe('what it does, in a sentence'),
    folder: z.string().describe('the absolute path of the folder of the version in use'),
  })
  .meta({ id: 'InstalledPackage', description: 'A plugin package that is installed on a host.' });
export type InstalledPackage = z.infer<typeof installedPackage>;

const notInstalled = { PACKAGE_NOT_FOUND: 'No such plugin is installed on this host.' } as const;
const elsewhere = { HOST_UNKNOWN: 'No packagemanager of that host is on the bus.' } as const;

const installErrors = {
  SOURCE_NOT_FOUND: 'The source does not exist, cannot be read, or is of a kind that is not supported.',
  MANIFEST_INVALID: 'plugin.json is missing or wrong; `fields` has the reason for each field.',
  ENGINE_MISMATCH: 'The plugin does not work with this version of Majordomus.',
  PACKAGE_REFUSED: 'The package holds something that is not allowed: a link, a path that leaves it, a kit of its own.',
  DEPENDENCIES_FAILED: 'The dependencies of the package could not be installed.',
  SCHEMA_NOT_STORED: 'dbmanager did not take the plugin’s configuration items; what was installed before is untouched.',
  STORAGE_ERROR: 'The files could not be written; what was installed before is untouched.',
  INTERRUPTED: 'packagemanager was stopped during the installation; what was installed before is untouched.',
} as const;

export const pluginInstall = contract({
  service: 'packagemanager',
  action: 'plugin.install',
  aliases: ['plugin.install.do'],
  summary: 'Installs a plugin package. When it takes longer than `waitMs` the job is still running: follow it with `job.get`.',
  input: z.object({
    source: z.string().min(1).describe('a folder, as an absolute path on the host of the packagemanager'),
    integrity: z.string().optional().describe('what the package must hash to'),
    waitMs: z.number().int().min(0).max(3_600_000).default(2000).describe('how long the caller waits for the end of it, in milliseconds'),
  }),
  output: z.object({ job: job.describe('how far it is') }),
  errors: { ...installErrors, ...elsewhere },
});

export const pluginUninstall = contract({
  service: 'packagemanager',
  action: 'plugin.uninstall',
  aliases: ['plugin.uninstall.do'],
  summary: 'Stops a plugin and removes its package. Its configuration is kept.',
  input: z.object({ id: pluginId }),
  output: z.object({ id: pluginId }),
  errors: {
    ...notInstalled,
    ...elsewhere,
    STILL_RUNNING: 'The plugin could not be stopped, so its package was kept.',
    STORAGE_ERROR: 'The files could not be removed.',
  },
});

export const packageList = contract({
  service: 'packagemanager',
  action: 'package.list',
  summary: 'The plugins installed on a host.',
  idempotent: true,
  input: z.object({}),
  output: z.object({ packages: z.array(installedPackage).describe('what is installed') }),
});

export const packageDetail = contract({
  service: 'packagemanager',
  action: 'package.detail',
  summary: 'One installed plugin with its manifest.',
  idempotent: true,
  input: z.object({ id: pluginId }),
  output: installedPackage.extend({ manifest: manifest.describe('its plugin.json') }),
  errors: { ...notInstalled, ...elsewhere },
});

export const jobGet = contract({
  service: 'packagemanager',
  action: 'job.get',
  summary: 'How far an installation is, or how it ended.',
  idempotent: true,
  input: z.object({ id: z.string().min(1).describe('the job, as `plugin.install` gave it') }),
  output: z.object({ job: job.describe('how far it is') }),
  errors: { JOB_NOT_FOUND: 'There is no such job; jobs are forgotten when packagemanager restarts.' },
});
