// A supervising process of its own, for the tests that kill or suspend one. Its argument is a JSON object; it supervises one
// program, prints its status when it settles, and prints it again for each line on its standard input; `end` ends it.
import { createInterface } from 'node:readline';
import { silentLog } from '@majordomus/runtime';
import { Supervisor, type SupervisorOptions } from '../src/index.ts';

export interface HostArguments {
  readonly options: Pick<SupervisorOptions, 'owner' | 'runFolder' | 'logsFolder' | 'settings' | 'deathSignal'>;
  readonly program: string;
  readonly cwd: string;
}

const { options, program, cwd } = JSON.parse(process.argv[2] ?? '') as HostArguments;
const supervisor = await Supervisor.open({ ...options, log: silentLog });
supervisor.add({ name: 'child', command: [process.execPath, program], cwd, env: process.env });
supervisor.start('child');
const tell = (): void => void process.stdout.write(`${JSON.stringify(supervisor.get('child'))}\n`);
await supervisor.settled('child');
tell();
const input = createInterface({ input: process.stdin });
for await (const line of input) {
  if (line === 'end') break;
  tell();
}
// The test holds the other end; nothing else may keep this process from ending by itself.
process.stdin.destroy();
await supervisor[Symbol.asyncDispose]();
