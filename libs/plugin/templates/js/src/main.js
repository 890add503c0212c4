// What the house starts.
import { runPlugin } from '@majordomus/plugin';
import { memoryPlugin } from './plugin.js';

await runPlugin(memoryPlugin());
