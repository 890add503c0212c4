// A process that recovers a damaged database and is killed, as by a power cut, before the step that it is told. Its argument is a
// DeadlyRecovery as JSON.
import { recover, type RecoveryStep } from '../src/recovery/recovery.ts';

export interface DeadlyRecovery {
  readonly path: string;
  readonly backups: string;
  readonly wallMs: number;
  readonly step: RecoveryStep;
}

const { path, backups, wallMs, step } = JSON.parse(process.argv[2] ?? '{}') as DeadlyRecovery;

recover(path, 'it was damaged on purpose', {
  backups,
  wallMs,
  beforeStep: (next) => {
    if (next === step) process.kill(process.pid, 'SIGKILL');
  },
});
