// The memory of what is always there and mostly idle: the broker and a plugin, on our transport and on libzmq.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { decimal, median, ratio } from './numbers.ts';
import { startPart } from './part.ts';
import { nodeProgram, startProgram } from './program.ts';
import { settledResident, type Resident } from './resident.ts';
import { inRounds } from './rounds.ts';

const transports = ['zmtp', 'zeromq'] as const;
const kinds = ['broker', 'plugin'] as const;
const megabyte = 1e6;

const caseName = (kind: string, transport: string): string => `${kind}, ${transport}`;

export const memory: Benchmark = {
  summary: 'memory of the idle broker and of an idle plugin, on our transport and on libzmq',
  rounds: 5,
  seconds: 0,
  async run(options) {
    const results = await inRounds(options, transports.map((transport) => ({
      name: transport,
      measure: () => measure(transport, options.folder),
      show: ({ broker, plugin }: Idle) => `broker ${decimal(broker.bytes / megabyte, 1)} MB, plugin ${decimal(plugin.bytes / megabyte, 1)} MB`,
    })));
    const middle = (kind: (typeof kinds)[number], transport: string, of: keyof Resident): number => median((results.get(transport) ?? []).map((idle) => idle[kind][of] / megabyte));
    return {
      tables: [{
        heads: ['idle', 'resident, MB', 'of it private, MB', 'resident of zeromq', 'private of zeromq'],
        rows: kinds.flatMap((kind) => transports.map((transport) => [
          caseName(kind, transport), decimal(middle(kind, transport, 'bytes'), 1), decimal(middle(kind, transport, 'privateBytes'), 1),
          ratio(middle(kind, transport, 'bytes'), middle(kind, 'zeromq', 'bytes')), ratio(middle(kind, transport, 'privateBytes'), middle(kind, 'zeromq', 'privateBytes')),
        ])),
      }],
    };
  },
};

type Idle = Readonly<Record<(typeof kinds)[number], Resident>>;

/** A broker, a dbmanager, from which the plugin has its configuration, and diskfree, once all have settled. */
async function measure(transport: string, folder: string): Promise<Idle> {
  const home = mkdtempSync(join(folder, 'home-'));
  const env = { DOMUS_TRANSPORT: transport };
  await using broker = await startPart('broker', ['--home', home, '--bind', 'tcp://127.0.0.1:*'], { env });
  const bus = ['--home', home, '--broker', broker.facts['endpoint'] ?? ''];
  await using _dbmanager = await startPart('dbmanager', bus, { env });
  await using plugin = await startProgram(nodeProgram('../../plugins/diskfree/src/main.ts', ...bus, '--host', 'bench', '--log-level', 'silent'), env);
  const [ofBroker, ofPlugin] = await Promise.all([settledResident(broker.pid), settledResident(plugin.pid)]);
  return { broker: ofBroker, plugin: ofPlugin };
}
