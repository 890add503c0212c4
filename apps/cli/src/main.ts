// The command `domus`. A single part is run without loading the rest of the command line, which a running part never needs.
import { ownPrograms } from './own-programs.ts';
import { runAlone } from './run-alone.ts';

const args = process.argv.slice(2);
if (args[0] === 'run' && args[1] !== undefined && !args[1].startsWith('-') && (!args.includes('--help') || ownPrograms().has(args[1]))) {
  await runAlone(args[1], args.slice(2));
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(args);
}
