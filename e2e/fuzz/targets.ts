// Everything that is fuzzed.
import type { Target } from './target.ts';
import { actionsTarget } from './targets/actions.ts';
import { archives } from './targets/archives.ts';
import { client } from './targets/client.ts';
import { frames } from './targets/frames.ts';
import { installs } from './targets/installs.ts';
import { manifests } from './targets/manifests.ts';
import { settings } from './targets/settings.ts';
import { worker } from './targets/worker.ts';
import { zmtp } from './targets/zmtp.ts';

export const targets: readonly Target[] = [frames, zmtp, worker, client, actionsTarget, manifests, archives, installs, settings];
