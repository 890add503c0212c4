// velbus-simulator as a process: a bus with three modules behind a TCP gateway, for tests and for who has none at home.
//
//     domus run velbus-simulator --listen tcp://127.0.0.1:40480
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { consoleHelp, messageText, runConsoleLine, statusText } from './simulator/console.ts';
import { threeModules } from './simulator/simulated-bus.ts';
import { SimulatorLine } from './simulator/simulator-line.ts';
import { SimulatorServer } from './simulator/simulator-server.ts';

const usage = `Usage: domus run velbus-simulator [flags]
  --listen tcp://HOST:PORT   where it listens; port * is any free one (default tcp://127.0.0.1:*)
  --press SECONDS            a button is pressed every so many seconds, one after the other
  --fragment                 each byte comes alone
  --garble N                 garbage before every Nth frame
  --drop N                   every Nth frame is lost`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function fail(reason: string): never {
  process.stderr.write(`velbus-simulator: ${reason}\n`);
  process.exit(78);
}

const flags = readFlags(process.argv.slice(2));
const line = new SimulatorLine(threeModules(), {
  faults: { fragment: flags.fragment, garbleEvery: flags.garble, dropEvery: flags.drop },
  onMessage: (message) => {
    const text = messageText(message);
    if (text !== undefined) print(text);
  },
});
const server = await SimulatorServer.listen(line, flags.listen).catch((error: unknown) => fail(`cannot listen on ${flags.listen.host}:${flags.listen.port}: ${error instanceof Error ? error.message : String(error)}`));
const input = createInterface({ input: process.stdin });
const end = (): void => {
  input.close();
  void server.close().then(() => process.exit(0));
};
// Before it says that it listens: who reads that may send a signal at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
// Who reads what is printed may go away.
process.stdout.on('error', () => process.exit(0));
input.on('line', (text) => {
  const answer = runConsoleLine(line, text);
  if (answer === undefined) end();
  else if (answer !== '') print(answer);
});
print(`velbus-simulator listens on ${server.address}, a bus with three modules:
${statusText(line)}

Try, in another terminal:
  domus plugin install velbus
  domus config set velbus device ${server.address}
  domus call HOST.velbus helper.do command=scan
  domus call HOST.velbus helper.do command=relay address=1 channel=2 state=on
and here:
${consoleHelp}
`);

let presses = 0;
if (flags.press > 0) setInterval(() => print(runConsoleLine(line, `press 3 ${(presses++ % 5) + 1}`) ?? ''), flags.press * 1000);

function readFlags(args: string[]): { listen: { host: string; port: number }; press: number; fragment: boolean; garble: number; drop: number } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        listen: { type: 'string', default: 'tcp://127.0.0.1:*' },
        press: { type: 'string', default: '0' },
        garble: { type: 'string', default: '0' },
        drop: { type: 'string', default: '0' },
        fragment: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      print(usage);
      process.exit(0);
    }
    return { listen: endpoint(values.listen), press: count('press', values.press), fragment: values.fragment, garble: count('garble', values.garble), drop: count('drop', values.drop) };
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

function endpoint(text: string): { host: string; port: number } {
  const [, host, port = ''] = /^tcp:\/\/(\[[^\]]+\]|[^:]+):(\*|\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) fail(`--listen must be like tcp://127.0.0.1:40480 or tcp://127.0.0.1:*, not ${text}`);
  return { host: host.replaceAll(/[[\]]/g, ''), port: port === '*' ? 0 : Number(port) };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0)) fail(`--${name} must be a number, not ${text}`);
  return value;
}
