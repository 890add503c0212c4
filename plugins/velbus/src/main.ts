// velbus as a process.
import { runPlugin } from '@majordomus/plugin';
import { velbus } from './plugin.ts';

await runPlugin(velbus());
