// What can stand between clients and workers: our broker on either transport, and what it is compared with.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { CPrograms } from './c-programs.ts';
import { startPart } from './part.ts';
import { nodeProgram, startProgram, type RunningProgram } from './program.ts';

export interface System {
  readonly name: string;
  /** Whether its workers speak MDP, and not nothing at all. */
  readonly isBroker: boolean;
  /** @param folder for what it leaves on the disk */
  readonly start: (folder: string, programs: CPrograms) => Promise<RunningSystem>;
}

export interface RunningSystem extends AsyncDisposable {
  readonly pid: number;
  /** Where each side connects. */
  readonly clients: string;
  readonly workers: string;
}

/** libzmq by itself: no protocol, no service, no certainty. The measure for the others. */
export const zmqProxy: System = {
  name: 'zmq_proxy',
  isBroker: false,
  async start(_folder, { proxy }) {
    const program = await startProgram([proxy]);
    return running(program, program.facts['clients'], program.facts['workers']);
  },
};

/** The same protocol in C on libzmq, with nothing that makes it certain: what the protocol itself costs there. */
export const inC: System = {
  name: 'broker in C',
  isBroker: true,
  async start(_folder, programs) {
    const program = await startProgram([programs.broker]);
    return running(program, program.facts['endpoint']);
  },
};

/** What a person would write on zeromq.js. */
export const zeromqJs: System = {
  name: 'zeromq.js broker',
  isBroker: true,
  async start() {
    const program = await startProgram(nodeProgram('../peers/zeromq-broker.ts'));
    return running(program, program.facts['endpoint']);
  },
};

export const onZmtp = ours('zmtp');
export const onZeromq = ours('zeromq');

function ours(transport: 'zmtp' | 'zeromq'): System {
  return {
    name: `our broker, ${transport}`,
    isBroker: true,
    async start(folder) {
      const home = mkdtempSync(join(folder, 'home-'));
      const program = await startPart('broker', ['--home', home, '--bind', 'tcp://127.0.0.1:*'], { env: { DOMUS_TRANSPORT: transport } });
      return running(program, program.facts['endpoint']);
    },
  };
}

function running(program: RunningProgram, clients = '', workers = clients): RunningSystem {
  return { pid: program.pid, clients, workers, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
