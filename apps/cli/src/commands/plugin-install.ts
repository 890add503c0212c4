// `domus plugin install` and `domus plugin upgrade`: from a source to a plugin that runs, told step by step.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { hostService, packageDetail, packageList, parsePluginId, pluginInstall, pluginRollback, pluginStatusGet, pluginUpgrade, type Job, type JsonValue } from '@majordomus/contracts';
import { BusError, CallError, type Client, PeerError } from '@majordomus/mq';
import { CommandError, reportFailure } from '../failure.ts';
import { allHosts, assertHost } from '../hosts.ts';
import { orTellWhere } from '../house-plugins.ts';
import { chooseSource, mayNameHost, type ChosenSource } from '../install-source.ts';
import { followJob, waitMs } from '../installation.ts';
import { installOnSaveUntilStopped } from '../install-on-save.ts';
import { runs, startInstalled, stateOf, tellState, type InstalledPlugin, type PluginState } from '../installed-plugin.ts';
import { note, printJson } from '../output.ts';
import { ownPluginFolder, typedCommand } from '../own-files.ts';
import type { CommandContext } from '../program.ts';
import { createProgress } from '../progress.ts';
import { type CliSettings, withHost } from '../session.ts';
import { valueOf } from '../item-text.ts';
import { whoAsks } from '../who.ts';

const hostsTimeoutMs = 3000;
/** What is told while a new version is waited for holds nothing up. */
const gateTimeoutMs = 1000;
/** What a process that Ctrl-C ended exits with. */
const interruptedExitCode = 130;

interface InstallOptions {
  readonly start: boolean;
  readonly on?: string;
  readonly integrity?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly set?: readonly string[];
}

interface UpgradeOptions {
  readonly set?: readonly string[];
  readonly all?: boolean;
  readonly json?: boolean;
}

export function addPluginInstall(plugin: Command, { settings }: CommandContext): void {
  plugin.command('install')
    .argument('<source>', 'a folder, an archive, name@range of the npm registry, or a git address')
    .option('--on <host>', 'install it on another host of the house')
    .option('--integrity <sha512>', 'what the archive must hash to, as npm pack prints it')
    .option('--set <key=value>', setDescription, collected)
    .option('--no-start', 'install only: a plugin that runs goes on as it is')
    .option('--json', 'the job as JSON')
    .addOption(new Option('--watch', 'install the folder again at each save, and show the log meanwhile').conflicts(['on', 'integrity', 'json', 'start', 'set']))
    .description('install a plugin, or another version of it, and start it')
    .addHelpText('after', `
Examples:
  domus plugin install diskfree                            one that comes with Majordomus
  domus plugin install ./kitchen                           a folder
  domus plugin install ./kitchen --watch                   a folder, again at each save
  domus plugin install ./kitchen-1.0.0.tgz                 an archive; --integrity sha512-… checks it
  domus plugin install majordomus-plugin-kitchen@^1        of the npm registry
  domus plugin install github:ann/kitchen#v1.0.0           from git; also git+https://…, git+ssh://…, git+file:///…
  domus plugin install ./kitchen --on attic                on another host; attic.diskfree does so with one that is here`)
    .action(async (typed: string, options: InstallOptions, command: Command) => {
      const own = settings(command);
      await withHost(own, async (client) => {
        const { source, on = own.host, told } = await choose(client, own, typed, options.on);
        if (told !== undefined && options.json !== true) note(told);
        if (options.watch === true) return installFolderOnSave(client, own, source, on);
        const service = hostService(own.host, 'packagemanager');
        const job = await watched(client, service, typed, options.json === true, async () => {
          const { integrity, set } = options;
          return (await client.call(pluginInstall, { source, waitMs, restart: options.start, by: whoAsks(), ...configurationOf(set), ...(integrity !== undefined && { integrity }), ...(on !== own.host && { host: on }) }, { service })).job;
        });
        const installed = { manager: hostService(own.host, 'manager'), host: on, name: job.plugin ?? typed };
        if (options.json !== true) {
          note(installedText(job));
          if (on === own.host) tellNamesake(job, source);
        }
        const started = options.start ? await start(client, installed, job.change !== 'none' && job.gated !== true) : undefined;
        report(job, started, options.json === true);
      });
    });

  plugin.command('upgrade').argument('[plugin]', 'its name, or host.name').option('--all', 'every plugin of this host that can be').option('--set <key=value>', setDescription, collected).option('--json', 'the jobs as JSON')
    .description('install a plugin again from where it came: the newest of its range, its git branch, its folder as it is now')
    .action(async (id: string | undefined, options: UpgradeOptions, command: Command) => {
      if ((id === undefined) === (options.all !== true)) throw new CommandError('USAGE', 'name a plugin to upgrade, or give --all');
      if (options.all === true && options.set !== undefined) throw new CommandError('USAGE', '--set needs the one plugin that the values are for');
      const own = settings(command);
      await withHost(own, (client) => (id === undefined ? upgradeAll(client, own, options) : orTellWhere(client, own.host, id, () => upgrade(client, own, id, options))));
    });

  plugin.command('rollback').argument('<plugin>', 'its name, or host.name').option('--json', 'the job as JSON')
    .description('go back to the version that was in use before; a second time, forward again')
    .addHelpText('after', `
Examples:
  domus plugin rollback diskfree
  domus plugin rollback attic.diskfree           on another host
Its configuration goes back to what it was before the change, too.`)
    .action(async (id: string, { json = false }: { readonly json?: boolean }, command: Command) => {
      const own = settings(command);
      await withHost(own, (client) => orTellWhere(client, own.host, id, () => rollBack(client, own, id, json)));
    });
}

const setDescription = 'a value to set with the new version, as JSON or text; again for another one';

function collected(typed: string, before: readonly string[] = []): readonly string[] {
  return [...before, typed];
}

/** @throws CommandError USAGE */
function configurationOf(set: readonly string[] | undefined): { readonly configuration?: Record<string, JsonValue> } {
  if (set === undefined) return {};
  return { configuration: Object.fromEntries(set.map((typed) => {
    const at = typed.indexOf('=');
    if (at < 1) throw new CommandError('USAGE', `--set takes KEY=VALUE, and not ${typed}`);
    return [typed.slice(0, at), valueOf(typed.slice(at + 1), undefined)];
  })) };
}

async function rollBack(client: Client, { host: ownHost }: CliSettings, id: string, json: boolean): Promise<void> {
  const { host, name } = parsePluginId(id, ownHost);
  const service = hostService(host, 'packagemanager');
  const job = await watched(client, service, name, json, async () => (await client.call(pluginRollback, { id: `${host}.${name}`, waitMs, by: whoAsks() }, { service })).job);
  if (!json) note(`${job.change === 'newer' ? 'went forward again' : 'went back'}: ${name} ${job.previous ?? ''} → ${job.version ?? ''}`);
  report(job, job.gated === true ? await stateOf(client, { manager: hostService(ownHost, 'manager'), host, name }) : undefined, json);
}

async function installFolderOnSave(client: Client, { host }: CliSettings, source: string, on: string): Promise<void> {
  const kind = kindOf(source);
  if (kind !== 'plugin' && kind !== 'folder') throw new CommandError('USAGE', `--watch needs the folder of a plugin, and ${source} is none`);
  if (on !== host) throw new CommandError('USAGE', `--watch installs on this host, ${host}, and not on ${on}`);
  await installOnSaveUntilStopped(client, { folder: source, host });
}

async function upgrade(client: Client, { host: ownHost }: CliSettings, id: string, { json = false, set }: UpgradeOptions): Promise<void> {
  const { host, name } = parsePluginId(id, ownHost);
  const service = hostService(host, 'packagemanager');
  const job = await watched(client, service, name, json, async () => (await client.call(pluginUpgrade, { id: `${host}.${name}`, waitMs, by: whoAsks(), ...configurationOf(set) }, { service })).job);
  if (!json) note(upgradedText(job));
  const installed: InstalledPlugin = { manager: hostService(ownHost, 'manager'), host, name };
  // What stands still goes on doing so.
  report(job, job.change !== 'none' && (await runs(client, installed)) ? await stateOf(client, installed) : undefined, json);
}

/** One after another; what cannot be upgraded is told and keeps no other one from it. */
async function upgradeAll(client: Client, own: CliSettings, options: UpgradeOptions): Promise<void> {
  const { packages } = await client.call(packageList, {}, { service: hostService(own.host, 'packagemanager') });
  if (packages.length === 0) note('no plugin is installed');
  for (const { name } of packages) {
    try {
      await upgrade(client, own, name, options);
    } catch (error) {
      if (error instanceof PeerError && error.code === 'NOTHING_NEWER') note(error.message);
      else reportFailure(error);
    }
  }
}

/** What was meant, and what lies there. */
async function choose(client: Client, { host }: CliSettings, typed: string, on: string | undefined): Promise<ChosenSource> {
  const hosts = mayNameHost(typed) ? (await allHosts(client, { timeoutMs: hostsTimeoutMs })).map((one) => one.host) : [];
  const name = typed.slice(typed.lastIndexOf('.') + 1);
  const installedFolder = on !== undefined || mayNameHost(typed) ? await folderOf(client, host, name) : undefined;
  const chosen = chooseSource(typed, on, { folder: process.cwd(), kindOf, ownPlugin: ownPluginFolder, installed: () => installedFolder, hosts });
  if (chosen.on !== undefined && chosen.on !== host) await assertHost(client, chosen.on);
  return chosen;
}

async function folderOf(client: Client, host: string, name: string): Promise<string | undefined> {
  const { packages } = await client.call(packageList, {}, { service: hostService(host, packageDetail.service) });
  return packages.find((installed) => installed.name === name)?.folder;
}

function kindOf(path: string): 'plugin' | 'folder' | 'file' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return statSync(join(path, 'plugin.json'), { throwIfNoEntry: false })?.isFile() === true ? 'plugin' : 'folder';
  return stats === undefined ? undefined : 'file';
}

/** Begins a job and shows how far it is: one live line on a terminal, a line for each step elsewhere. Ctrl-C leaves the job to itself. */
async function watched(client: Client, service: string, what: string, quiet: boolean, begin: () => Promise<Job>): Promise<Job> {
  const progress = createProgress(process.stderr);
  const job = await begin().catch((error: unknown) => {
    if (!(error instanceof BusError) || error.code !== 'WORKER_LOST') throw error;
    throw new CommandError('INTERRUPTED', `packagemanager was stopped while it installed ${what}; it ends what it had begun when it is back; see what is installed then: ${typedCommand} plugin list`, { cause: error });
  });
  const leave = (): void => {
    progress.clear();
    note(`the installation goes on without you; how far it is: ${typedCommand} call ${service} job.get '{"id": "${job.id}"}'`);
    process.exit(interruptedExitCode);
  };
  let told = '';
  let gateMs: number | undefined;
  process.once('SIGINT', leave);
  try {
    return await followJob(client, job, {
      service,
      onJob: async ({ step, percent, plugin, version = '' }) => {
        const name = plugin === undefined ? what : `${plugin} ${version}`.trimEnd();
        const isNew = told !== step;
        told = step;
        if (quiet || (!isNew && !process.stderr.isTTY)) return;
        if (step !== 'gate') progress.step(`installing ${name}: ${step}, ${percent} %`);
        else {
          gateMs ??= performance.now();
          const seconds = Math.round((performance.now() - gateMs) / 1000);
          const said = seconds === 0 || plugin === undefined ? '' : await saidBy(client, service, plugin);
          progress.step(`installing ${name}: waits for ${version} to be ready${seconds === 0 ? '' : `, ${seconds} s`}${said}`);
        }
      },
    });
  } finally {
    process.off('SIGINT', leave);
    progress.clear();
  }
}

/** How a plugin is while it is waited for, if its manager tells; `packagemanager` is the service of its host. */
async function saidBy(client: Client, packagemanager: string, name: string): Promise<string> {
  const host = packagemanager.slice(0, packagemanager.lastIndexOf('.'));
  try {
    const { plugin: { state, reason, lastError } } = await client.call(pluginStatusGet, { id: name }, { service: hostService(host, 'manager'), timeoutMs: gateTimeoutMs });
    const why = reason || (state === 'running' ? '' : lastError);
    return ` (${state}${why === '' ? '' : `: ${why}`})`;
  } catch (error) {
    if (error instanceof CallError) return '';
    throw error;
  }
}

/** The last step, on the live line too. */
async function start(client: Client, plugin: InstalledPlugin, hasChanged: boolean): Promise<PluginState> {
  const progress = createProgress(process.stderr);
  if (process.stderr.isTTY) progress.step(`starting ${plugin.name}`);
  try {
    return await startInstalled(client, plugin, hasChanged);
  } finally {
    progress.clear();
  }
}

/** Says so when a folder or archive holds a plugin that is called as one that comes with Majordomus. */
function tellNamesake({ plugin = '', change }: Job, source: string): void {
  const own = ownPluginFolder(plugin);
  if (own === undefined || source === own || !source.startsWith('/') || change === 'none') return;
  note(`another ${plugin} comes with Majordomus; what is installed now is ${source}; that one again: ${typedCommand} plugin install ${plugin}`);
}

function installedText({ plugin = 'it', version = '', previous = '', change, cached }: Job): string {
  const from = cached === true ? ' (the network did not answer, so it came from the cache)' : '';
  switch (change) {
    case 'none': return `${plugin} ${version} was installed already, and is the same${from}`;
    case 'again': return `installed ${plugin} ${version} again, with other content${from}`;
    case 'newer': return `installed ${plugin} ${version}; it was ${previous}${from}`;
    case 'older': return `installed ${plugin} ${version}, which is older; it was ${previous}${from}`;
    case 'first':
    case undefined: return `installed ${plugin} ${version}${from}`;
    default: return change satisfies never;
  }
}

function upgradedText(job: Job): string {
  const { plugin = 'it', version = '', previous = '', source, change, cached } = job;
  if (change === 'none' && source.startsWith('/')) return `${source} is still ${plugin} ${version}, and nothing in it has changed`;
  if (change === 'none') return `${plugin} ${version} is the newest that ${source} gives${cached === true ? ', as far as the cache knows: the network did not answer' : ''}`;
  return change === 'again' ? installedText(job) : `upgraded ${plugin}: ${previous} → ${version}${change === 'older' ? ', which is older' : ''}`;
}

function report(job: Job, started: PluginState | undefined, json: boolean): void {
  if (json) printJson({ ...job, ...(started !== undefined && { started }) });
  else if (started !== undefined) tellState(started);
}
