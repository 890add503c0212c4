// Asks the disks as hanging-disks.ts does, on a machine that is so busy that it starts only after a while.
import { setTimeout as delay } from 'node:timers/promises';

await delay(300);
await import('./hanging-disks.ts');
