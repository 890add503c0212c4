// packagemanager as a process.
import { runPart } from '@majordomus/runtime';
import { readSettings } from './config.ts';
import { start } from './service.ts';

await runPart({ name: 'packagemanager', readSettings, start });
