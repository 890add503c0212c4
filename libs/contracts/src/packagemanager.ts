// packagemanager: the plugin packages installed on a host.
import { z } from 'zod';
import { configurationKey, jsonValue } from './configuration.ts';
import { contract } from './contract.ts';
import { by } from './dbmanager.ts';
import { manifest, semanticVersion } from './manifest.ts';
import { hostName, pluginId } from './names.ts';

/** The steps of an installation, in order; `gate` only where a plugin that runs goes over to the new version. */
export const installSteps = ['resolve', 'fetch', 'unpack', 'verify', 'link', 'sync', 'switch', 'gate'] as const;

export const job = z
  .object({
    id: z.string().describe('the job, for `job.get`'),
    state: z.enum(['running', 'done', 'failed']).describe('whether it is under way, or how it ended'),
    source: z.string().describe('what is installed'),
    step: z.enum(installSteps).describe('the step it is in, or ended with'),
    percent: z.number().int().min(0).max(100).describe('how much is done'),
    plugin: z.string().optional().describe('the name of the plugin, once its manifest was read'),
    version: z.string().optional().describe('its version, once its manifest was read'),
    previous: z.string().optional().describe('the version that was installed before, if there was one'),
    change: z.enum(['first', 'newer', 'older', 'again', 'none']).optional().describe('what that is beside `previous`: `again` is the same version with other content, `none` the very same'),
    gated: z.boolean().optional().describe('whether the plugin ran, and so went over to it in the step `gate`'),
    cached: z.boolean().optional().describe('whether the network did not answer, and the cache of an earlier installation did'),
    error: z
      .object({
        code: z.string().describe('one of the codes of `plugin.install`'),
        reason: z.string().describe('what happened, for a person'),
        fields: z.record(z.string(), z.string()).optional().describe('a reason for each field that is wrong'),
        log: z.array(z.string()).optional().describe('the last lines of the version that did not become well'),
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
    source: z.string().optional().describe('where it was installed from, without a password; absent if that is not known'),
    integrity: z.string().optional().describe('the SHA-512 of the archive it came in, as `sha512-…`'),
    commit: z.string().optional().describe('the commit, if it came from git'),
    unfit: z.string().optional().describe('why it is not started: its `engine` leaves out this version of Majordomus'),
  })
  .meta({ id: 'InstalledPackage', description: 'A plugin package that is installed on a host.' });
export type InstalledPackage = z.infer<typeof installedPackage>;

const notInstalled = { PACKAGE_NOT_FOUND: 'No such plugin is installed on this host.' } as const;
const elsewhere = { HOST_UNKNOWN: 'No packagemanager of that host is on the bus.' } as const;

const installErrors = {
  SOURCE_NOT_FOUND: 'The source does not exist, cannot be read, or is of a kind that is not supported.',
  FETCH_FAILED: 'The source could not be fetched: the network, the registry or git did not give it, and the cache does not have it.',
  ARCHIVE_INVALID: 'The archive is damaged, cut short, or no archive that is known.',
  INTEGRITY_INVALID: 'The integrity is no `sha512-…`, or the source is of a kind that has none.',
  INTEGRITY_MISMATCH: 'The package hashes to something else than the integrity that was expected.',
  MANIFEST_INVALID: 'plugin.json is missing or wrong; `fields` has the reason for each field.',
  ENGINE_MISMATCH: 'The plugin does not work with this version of Majordomus.',
  PACKAGE_REFUSED: 'The package holds something that is not allowed: a link, a path that leaves it, a kit of its own.',
  DEPENDENCIES_FAILED: 'The dependencies of the package could not be installed.',
  CONFIG_NEEDED: 'The plugin runs, and the new version would not with the configuration as it is; `fields` has the reason for each key.',
  CONFIG_INVALID: 'A value of `configuration` does not fit the new version; `fields` has the reason for each key.',
  SCHEMA_NOT_STORED: 'dbmanager did not take the plugin’s configuration items; what was installed before is untouched.',
  NOT_HEALTHY: 'The new version did not become as well as the former one was, which is back with its configuration; `log` has the last lines of the new one.',
  STORAGE_FULL: 'The disk is full; what was installed before is untouched.',
  STORAGE_ERROR: 'The files could not be written; what was installed before is untouched.',
  TRANSFER_FAILED: 'The package could not be brought to the other host, or that host stopped telling how far it is.',
  UPLOAD_NOT_FOUND: 'There is no such upload; an upload that nothing is added to expires.',
  INTERRUPTED: 'packagemanager was stopped during the installation; what was installed before is untouched.',
} as const;

const configuration = z.record(configurationKey, jsonValue).optional().describe('values to set with the new version, by key; they go back with it if it does not become well');
const restart = z.boolean().default(true).describe('whether a plugin that runs goes over to the new version now, through the health gate');
const waitMs = z.number().int().min(0).max(3_600_000).default(2000).describe('how long the caller waits for the end of it, in milliseconds');

export const pluginInstall = contract({
  service: 'packagemanager',
  action: 'plugin.install',
  aliases: ['plugin.install.do'],
  summary: 'Installs a plugin package. When it takes longer than `waitMs` the job is still running: follow it with `job.get`.',
  input: z.object({
    source: z.string().min(1).max(4096).describe('a folder or an archive (.tgz, .tar.gz, .tar), as an absolute path on the host of the packagemanager; a name of the npm registry, `name@^1`; a git address, `git+https://…#v1` or `github:user/repo`; an https:// address of an archive; or an upload, `upload:ID`'),
    integrity: z.string().optional().describe('what the archive must hash to, as `sha512-…`'),
    host: hostName.optional().describe('the host to install on; without it, the host of the packagemanager. A folder or archive is brought there'),
    configuration,
    restart,
    by,
    waitMs,
  }),
  output: z.object({ job: job.describe('how far it is') }),
  errors: { ...installErrors, ...elsewhere },
});

export const pluginUpgrade = contract({
  service: 'packagemanager',
  action: 'plugin.upgrade',
  aliases: ['plugin.upgrade.do'],
  summary: 'Installs a plugin again from where it was installed: the newest version of its range, what its git branch holds now, its folder as it is now.',
  input: z.object({ id: pluginId, configuration, restart, by, waitMs }),
  output: z.object({ job: job.describe('how far it is; `previous` and `version` tell from what to what') }),
  errors: {
    ...installErrors,
    ...notInstalled,
    ...elsewhere,
    NOTHING_NEWER: 'The plugin came from an archive, or from nobody knows where, so that there is nowhere to look for a newer version.',
  },
});

export const pluginRollback = contract({
  service: 'packagemanager',
  action: 'plugin.rollback',
  summary: 'Goes back to the version that was in use before, through the health gate; a second time forward again. Values that it does not take go back to what they were then.',
  input: z.object({ id: pluginId, by, waitMs }),
  output: z.object({ job: job.describe('how far it is; `previous` and `version` tell from what to what') }),
  errors: {
    ...installErrors,
    ...notInstalled,
    ...elsewhere,
    NO_PREVIOUS: 'No previous version is on the disk to go back to.',
  },
});

/** As much as one `package.upload` may carry, in bytes. */
export const uploadChunkBytes = 256 * 1024;

export const packageUpload = contract({
  service: 'packagemanager',
  action: 'package.upload',
  summary: 'Brings an archive to a host, a part with each request; `plugin.install` with `upload:ID` then installs it. A part that comes twice does no harm.',
  idempotent: true,
  input: z.object({
    upload: z.uuid().describe('the name of the upload, which its sender makes up'),
    origin: z.string().max(4096).regex(/^\P{Cc}+$/u, 'must be a line of text').describe('what the archive was made of, for a person'),
    bytes: z.number().int().min(1).describe('the size of the whole archive, in bytes'),
    integrity: z.string().describe('what the whole archive hashes to, as `sha512-…`'),
    offset: z.number().int().min(0).describe('where in the archive this part begins, in bytes'),
    data: z.base64().max(Math.ceil(uploadChunkBytes / 3) * 4).describe('the part, as base64'),
  }),
  output: z.object({
    received: z.number().int().describe('how many bytes of the archive are there'),
    complete: z.boolean().describe('whether that is all of them'),
  }),
  errors: {
    UPLOAD_NOT_FOUND: 'There is no such upload to go on with; begin it again.',
    UPLOAD_REFUSED: 'The upload is too large, does not fit what was said before, or there are too many at once.',
    INTEGRITY_INVALID: 'The integrity is no `sha512-…`.',
    INTEGRITY_MISMATCH: 'What arrived hashes to something else than was said; send it again.',
    STORAGE_FULL: 'The disk is full.',
    STORAGE_ERROR: 'The files could not be written.',
  },
});

export const pluginUninstall = contract({
  service: 'packagemanager',
  action: 'plugin.uninstall',
  aliases: ['plugin.uninstall.do'],
  summary: 'Stops a plugin and removes its package. Its configuration is kept, unless `purge` is true.',
  input: z.object({
    id: pluginId,
    purge: z.boolean().default(false).describe('whether its values on this host are forgotten, too, also if the plugin is not installed any more'),
    by,
  }),
  output: z.object({
    id: pluginId,
    purged: z.number().int().optional().describe('how many values were forgotten, with `purge`'),
  }),
  errors: {
    ...notInstalled,
    ...elsewhere,
    STILL_RUNNING: 'The plugin could not be stopped, so its package was kept.',
    NOT_PURGED: 'The package is removed, and dbmanager did not forget the values; the same again goes on from there.',
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
