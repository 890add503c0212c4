// The thread that installs dependencies with @npmcli/arborist, loaded here only: it takes 40 MB and is needed seldom. It
// runs nothing of what it installs: no script, no `.npm-extension`, no git.
import { parentPort as port, workerData } from 'node:worker_threads';
import { reasonOf } from '@majordomus/runtime';
import Arborist from '@npmcli/arborist';

/** What the thread is given. */
export interface NpmRequest {
  /** The folder of the package. */
  readonly path: string;
  readonly cache: string;
  readonly registry: string | undefined;
}

/** What it says at its end. */
export type NpmOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const omit = ['dev', 'peer'];
const { path, cache, registry } = workerData as NpmRequest;

async function install(): Promise<NpmOutcome> {
  try {
    const arborist = new Arborist({
      path,
      cache,
      ...(registry !== undefined && { registry }),
      ignoreScripts: true,
      ignoreExtension: true,
      allowGit: 'none',
      legacyPeerDeps: true,
      audit: false,
      fund: false,
      fetchRetries: 2,
      fetchRetryFactor: 2,
      fetchRetryMintimeout: 500,
      fetchTimeout: 60_000,
    });
    await arborist.reify({ omit, save: false, audit: false });
    return { ok: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { ok: false, reason: `${reasonOf(error)}${code}` };
  }
}

const outcome = await install();
port?.postMessage(outcome);
