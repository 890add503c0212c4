// What is installed, as folders and links (docs/packages.md, "Files on disk"). Every change is one rename, so that a crash
// at any point leaves the old or the new; what is removed is first renamed away, so that nothing is ever half there.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { pluginName, type InstalledPackage } from '@majordomus/contracts';
import { isSystemError, majordomusVersion, syncPathAside, Turns, type Log } from '@majordomus/runtime';
import { changeFileName, readChange, removeChange, writeChange, type Change } from './change-file.ts';
import { exists, linkTarget, renameLink, switchLink, writeDurably } from './durable.ts';
import type { BeforeEffect, Effect } from './effects.ts';
import { findCurrent, findPrevious, findRelease, type Found } from './found.ts';
import { holdsAll } from './package-copy.ts';
import { readRecord, recordFile, writeRecord, type ReleaseRecord } from './release-record.ts';

/** What the last version printed that did not become well; it goes with the package. */
const failedLogName = 'failed.log';

/** During a change, a link to the former release: the way back is a rename, for which there is room on a full disk, too. */
const readyLinkName = 'back';

export interface PackageStoreOptions {
  /** `<home>/packages`, which must be there. */
  readonly folder: string;
  readonly log: Log;
  readonly beforeEffect?: BeforeEffect | undefined;
  /** What the `engine` of a manifest is compared with. */
  readonly majordomusVersion?: string;
}

export class PackageStore {
  readonly #folder: string;
  readonly #staging: string;
  readonly #trash: string;
  readonly #log: Log;
  readonly #beforeEffect: BeforeEffect;
  readonly #version: string;
  readonly #turns = new Turns();
  /** The damage that was logged already, so that a listing each second does not fill the log. */
  readonly #told = new Set<string>();

  constructor({ folder, log, beforeEffect = () => {}, majordomusVersion: version = majordomusVersion }: PackageStoreOptions) {
    this.#folder = folder;
    this.#staging = join(folder, '.staging');
    this.#trash = join(folder, '.trash');
    this.#log = log;
    this.#beforeEffect = beforeEffect;
    this.#version = version;
  }

  /** Called before an effect that is not the store's own. */
  async before(effect: Effect): Promise<void> {
    await this.#beforeEffect(effect);
  }

  /** Whoever changes a package holds its turn until the end. @throws the signal's reason */
  turn(name: string, signal: AbortSignal): Promise<Disposable> {
    return this.#turns.take(name, signal);
  }

  /** Everything that can be used, sorted by name; what is damaged is logged and left out. */
  async list(): Promise<InstalledPackage[]> {
    const packages: InstalledPackage[] = [];
    for (const name of await this.#names()) {
      const found = await this.find(name);
      if (found.state === 'installed') packages.push(found.installed);
      if (found.state === 'damaged' && !this.#told.has(`${name} ${found.reason}`)) {
        this.#told.add(`${name} ${found.reason}`);
        this.#log.warn({ package: name }, `the package ${name} is damaged and left out, so install it again or uninstall it: ${found.reason}`);
      }
    }
    return packages;
  }

  /** The package of that name, which must be a plugin's name. It never fails: what cannot be read is damaged. */
  find(name: string): Promise<Found> {
    return findCurrent(join(this.#folder, name), this.#version);
  }

  /** The release that was in use before; it never fails. */
  previous(name: string): Promise<Found> {
    return findPrevious(join(this.#folder, name), this.#version);
  }

  /** A release of a package, in use or not. It never fails: what cannot be read is damaged. */
  release(name: string, release: string): Promise<Found> {
    return findRelease(join(this.#folder, name), release, this.#version);
  }

  /** Makes an empty folder in which a package can be made ready. */
  async stage(job: string): Promise<string> {
    const staging = join(this.#staging, job);
    await this.#beforeEffect('make staging');
    await mkdir(staging, { recursive: true });
    return staging;
  }

  /** Gives up what is staged, if it was not placed. It never fails: what stays is removed at the next start. */
  async unstage(staging: string): Promise<void> {
    await this.#quietly(staging, () => rm(staging, { recursive: true, force: true }));
  }

  /** Whether a release is there, whole: it came to be by one rename of what is on disk, and still holds all that is staged. */
  async hasRelease(name: string, release: string, staging: string, signal: AbortSignal): Promise<boolean> {
    if ((await this.release(name, release)).state !== 'installed') return false;
    return await holdsAll(join(this.#folder, name, release), staging, signal);
  }

  /** Gives a staged package, already on disk, its own folder, in the place of one that is damaged. It is not in use by that. */
  async place(staging: string, name: string, release: string): Promise<void> {
    const folder = join(this.#folder, name);
    await this.#beforeEffect('make package folder');
    await mkdir(folder, { recursive: true });
    await syncPathAside(this.#folder);
    await this.discard(join(folder, release));
    await this.#beforeEffect('rename into place');
    await rename(staging, join(folder, release));
    await syncPathAside(folder);
  }

  /** Notes where a release came from; by what its configuration of then is found, if it was in use before, stays. */
  async record(name: string, release: string, record: ReleaseRecord): Promise<void> {
    const folder = join(this.#folder, name, release);
    const former = await readRecord(folder);
    const next = { ...record, ...(former?.leftAt !== undefined && { leftAt: former.leftAt }) };
    if (isDeepStrictEqual(former, next)) return;
    await this.#beforeEffect('write record');
    await writeRecord(folder, next);
  }

  /** Brings a release into use; fulfilled, with its folder, when that is on disk. */
  async activate(name: string, release: string, direction: 'forth' | 'back' = 'forth'): Promise<string> {
    const folder = join(this.#folder, name);
    const current = join(folder, 'current');
    const former = await linkTarget(current);
    if (former === release) {
      await syncPathAside(folder);
    } else {
      if (former === undefined) await this.discard(current);
      await this.#beforeEffect(direction === 'forth' ? 'write link' : 'write link back');
      const beforeSwitch = async (): Promise<void> => this.#beforeEffect(direction === 'forth' ? 'switch link' : 'switch link back');
      const ready = join(folder, readyLinkName);
      if (direction === 'back' && (await linkTarget(ready)) === release) await renameLink(ready, current, beforeSwitch);
      else await switchLink(current, release, beforeSwitch);
    }
    return join(folder, release);
  }

  /** The former release stays, to go back to; what its configuration was is found by `leftAt`. */
  async keepPrevious(name: string, former: string, leftAt: number | undefined): Promise<void> {
    const folder = join(this.#folder, name);
    await this.#beforeEffect('keep previous');
    const record = await readRecord(join(folder, former));
    if (record !== undefined && leftAt !== undefined) await writeRecord(join(folder, former), { ...record, leftAt });
    await switchLink(join(folder, 'previous'), former);
  }

  /** Removes what is neither in use, nor the one before, nor part of a change that is under way. A failure is logged. */
  async prune(name: string): Promise<void> {
    await this.#quietly(join(this.#folder, name), () => this.#cleanUpPackage(name));
  }

  /** Notes a change of versions, or another state of it; it is on disk when this is fulfilled. */
  async noteChange(name: string, change: Change): Promise<void> {
    const folder = join(this.#folder, name);
    await this.#beforeEffect(({ forth: 'begin change', kept: 'note verdict', back: 'turn back' } as const)[change.direction]);
    if (change.direction === 'forth') await switchLink(join(folder, readyLinkName), change.from);
    await writeChange(join(folder, changeFileName), change);
  }

  /** The change of versions that is under way. */
  async change(name: string): Promise<Change | undefined> {
    return await readChange(join(this.#folder, name, changeFileName));
  }

  /** Of what there was before only what is needed stays. */
  async endChange(name: string): Promise<void> {
    await this.#beforeEffect('end change');
    await removeChange(join(this.#folder, name, changeFileName));
    await rm(join(this.#folder, name, readyLinkName), { force: true });
    await this.prune(name);
  }

  /** The names of the packages in which a change was not ended. */
  async changing(): Promise<string[]> {
    const names: string[] = [];
    for (const name of await this.#names()) if ((await this.change(name)) !== undefined) names.push(name);
    return names;
  }

  /** Keeps what a version printed that did not become well; the path of the file. */
  async keepFailedLog(name: string, lines: readonly string[]): Promise<string> {
    const file = this.failedLog(name);
    await this.#beforeEffect('keep log');
    await writeDurably(file, `${lines.join('\n')}\n`);
    return file;
  }

  async readFailedLog(name: string): Promise<string[]> {
    const text = await readFile(this.failedLog(name), 'utf8').catch(() => '');
    return text.split('\n').slice(1).filter((line) => line !== '');
  }

  /** Where the last version that did not become well is told of. */
  failedLog(name: string): string {
    return join(this.#folder, name, failedLogName);
  }

  /** Removes a package with all its releases. */
  async remove(name: string): Promise<void> {
    await this.discard(join(this.#folder, name));
  }

  /** Removes a file or folder at once for whoever looks, and from the disk after that. */
  async discard(path: string): Promise<void> {
    if (!(await exists(path))) return;
    await this.#beforeEffect('discard');
    await mkdir(this.#trash, { recursive: true });
    const discarded = join(this.#trash, randomUUID());
    await rename(path, discarded);
    await syncPathAside(dirname(path));
    await this.#beforeEffect('remove discarded');
    await rm(discarded, { recursive: true, force: true });
  }

  /** Takes away what a crash left: to be called once, before anything is changed. A failure is logged. */
  async cleanUp(): Promise<void> {
    await this.#quietly(this.#staging, () => rm(this.#staging, { recursive: true, force: true }));
    for (const name of await this.#names()) await this.#quietly(join(this.#folder, name), () => this.#cleanUpPackage(name));
    await this.#quietly(this.#trash, () => rm(this.#trash, { recursive: true, force: true }));
  }

  async #cleanUpPackage(name: string): Promise<void> {
    const folder = join(this.#folder, name);
    const current = join(folder, 'current');
    const previous = join(folder, 'previous');
    // Without either link this is a first installation that did not come to its end.
    if (!(await exists(current)) && !(await exists(previous))) await this.discard(folder);
    else if ((await this.find(name)).state === 'installed') {
      const [used, before] = await Promise.all([linkTarget(current), linkTarget(previous)]);
      // What was the one before, and is in use again without a change from one to the other, is not the one before.
      if (used === before && (await this.change(name)) === undefined) await rm(previous);
      await this.#discardAllBut(name, [used, before]);
    }
  }

  async #discardAllBut(name: string, releases: readonly (string | undefined)[]): Promise<void> {
    const folder = join(this.#folder, name);
    const change = await this.change(name);
    const all = change === undefined ? releases : [...releases, change.from, change.to];
    const kept = new Set(['current', 'previous', failedLogName, ...(change === undefined ? [] : [changeFileName, readyLinkName]), ...all.flatMap((release) => (release === undefined ? [] : [release, recordFile(release)]))]);
    for (const entry of await readdir(folder)) if (!kept.has(entry)) await this.discard(join(folder, entry));
  }

  /** The folders of packages; anything else in here is not ours to touch. */
  async #names(): Promise<string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch((error: unknown) => {
      // Somebody has deleted it, and nothing is installed (kept-folder.ts).
      if (isSystemError(error, 'ENOENT')) return [];
      throw error;
    });
    return entries.filter((entry) => entry.isDirectory() && pluginName.safeParse(entry.name).success).map(({ name }) => name).sort();
  }

  async #quietly(what: string, tidy: () => Promise<void>): Promise<void> {
    try {
      await tidy();
    } catch (error) {
      this.#log.warn({ err: error }, `could not tidy ${what}; it is tried again at the next start`);
    }
  }
}
