// diskfree as a process.
import { runPlugin } from '@majordomus/plugin';
import { diskfree } from './plugin.ts';

await runPlugin(diskfree());
