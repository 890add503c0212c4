// What the house starts.
import { runPlugin } from '@majordomus/plugin';
import { memoryPlugin } from './plugin.ts';

await runPlugin(memoryPlugin());
