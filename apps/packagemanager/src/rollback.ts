// Back to the version that was in use before, on a person's word: it is still on the disk, so nothing is fetched. It passes the health
// gate as any other, and leaves its place as the previous one, so that the same word leads forward again.
import { pluginInstall, pluginRollback, refuse } from '@majordomus/contracts';
import semver from 'semver';
import type { ChangeOver } from './change-over.ts';
import type { JobContext } from './jobs.ts';
import type { PackageStore } from './package-store.ts';

export interface RollbackOptions {
  readonly store: PackageStore;
  readonly changeOver: ChangeOver;
  readonly by: string | undefined;
  readonly job: JobContext;
}

/** @throws ActionFailure with a code of `plugin.rollback`; what a failed write throws */
export async function rollBack(plugin: string, { store, changeOver, by, job: { id, signal, progress } }: RollbackOptions): Promise<void> {
  using _turn = await store.turn(plugin, signal);
  await changeOver.settle(plugin, signal);
  const [former, next] = await Promise.all([store.find(plugin), store.previous(plugin)]);
  if (next.state !== 'installed') {
    const why = next.state === 'absent' ? `no other version of ${plugin} is kept here` : `the previous version of ${plugin} is damaged: ${next.reason}`;
    throw refuse(pluginRollback, 'NO_PREVIOUS', `there is nothing to go back to: ${why}; install the version that you want: domus plugin install SOURCE`);
  }
  const { version, unfit } = next.installed;
  if (unfit !== undefined) throw refuse(pluginInstall, 'ENGINE_MISMATCH', unfit);
  const previous = former.state === 'installed' ? former.installed.version : undefined;
  progress({
    step: 'switch', percent: 50, plugin, version,
    ...(previous !== undefined && { previous, change: (['older', 'again', 'newer'] as const)[semver.compare(version, previous) + 1] ?? 'again' }),
  });
  await changeOver.run({
    job: id, source: `the previous version of ${plugin}`, former, next, by, restart: true, revertsUnfit: true, signal,
    onGate: () => progress({ step: 'gate', percent: 97, gated: true }),
  });
}
