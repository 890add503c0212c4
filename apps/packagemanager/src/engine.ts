// Whether a plugin works with this version of Majordomus: its `engine`. It is asked at an installation, and again by whoever
// starts a plugin, since the house itself becomes newer, and older again.
import type { Manifest } from '@majordomus/contracts';
import semver from 'semver';

/** Why it does not, for a person; undefined if it does. */
export function engineProblem({ name, version, engine }: Pick<Manifest, 'name' | 'version' | 'engine'>, majordomusVersion: string): string | undefined {
  if (semver.satisfies(majordomusVersion, engine, { includePrerelease: true })) return undefined;
  return `${name} ${version} works with Majordomus ${engine}, and this is ${majordomusVersion}; take another version of the plugin, or of Majordomus`;
}
