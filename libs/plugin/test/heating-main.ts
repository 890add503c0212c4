// The heating as a program of its own.
import { runPlugin } from '../src/index.ts';
import { heating } from './heating.ts';

await runPlugin(heating());
