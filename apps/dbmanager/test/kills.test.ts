// docs/architecture.md, "Durability": a kill at any moment leaves the old or the new, and loses nothing that was
// acknowledged. Two hundred kills at moments that a seed repeats, most of them of the store in a process that starts
// fast, the others of dbmanager itself on a bus. What a disk keeps when the power fails, no kill can tell: see
// reply-after-sync.test.ts.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configGet, configHistory, configSet, databaseCheck } from '@majordomus/contracts';
import { Broker, BusError, Client, PeerError } from '@majordomus/mq';
import { setTimeout as timePasses } from 'node:timers/promises';
import { startDbmanager } from './dbmanager-process.ts';
import { historyDepth, Ledger, numberIn, ownerOf, valuesOf, type Stored } from './ledger.ts';
import { Random, seedOfRun } from './random.ts';
import { runStore, type Moment } from './store-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const seed = seedOfRun();
console.log(`kill -9 of dbmanager: DOMUS_TEST_SEED=${seed}`);

const writers = 16;
const storeKills = 160;
const busKills = 40;
/** Homes that are written at the same time, one for each processor that this was measured on. */
const lanes = 2;

/** One kill in five falls while it starts, the others while it writes. */
function momentOf(random: Random): Moment {
  return random.next() < 0.2 ? { after: 'start', delayMs: random.between(0, 400) } : { after: 'acknowledgement', delayMs: random.between(0, 120) };
}

describe(`kill -9 at seeded moments (DOMUS_TEST_SEED=${seed})`, () => {
  it(`of the store, ${storeKills} times under write load: nothing acknowledged is lost, nothing is half, and it always opens`, { timeout: 600_000 }, async () => {
    using folder = temporaryFolder();
    const cache = join(folder.path, 'cache');
    // Only a process that ends in order leaves what it compiled.
    await runStore({ home: join(folder.path, 'first'), writers: 1, cache });

    const lane = async (number: number): Promise<number> => {
      const random = new Random(seed + number);
      const home = mkdtempSync(join(folder.path, 'home-'));
      const ledger = new Ledger();
      for (let kill = 0; kill <= storeKills / lanes; kill++) {
        const isLast = kill === storeKills / lanes;
        const told = await runStore({ home, writers, cache, ...(!isLast && { kill: momentOf(random) }) });
        const about = `seed ${seed}, home ${number}, after kill ${kill}: ${told.errors}`;
        expect(told.code, about).toBe(isLast ? 0 : null);
        expect(told.damage, about).toEqual([]);
        expect([...told.stored].flatMap(([writer, stored]) => ledger.problemsOf(writer, stored)), about).toEqual([]);
        if (isLast) expect(told.stored.size).toBe(writers);
        for (const { writer, number } of told.acknowledged) ledger.acknowledge(writer, number);
      }
      return ledger.writes;
    };

    const writes = await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    // Each kill while it wrote came after an acknowledgement.
    for (const count of writes) expect(count).toBeGreaterThan(storeKills / lanes / 2);
  });

  it(`of dbmanager on a bus, ${busKills} times under write load: the same`, { timeout: 600_000 }, async () => {
    const lane = async (number: number): Promise<number> => {
      using folder = temporaryFolder();
      const random = new Random(seed + 1000 + number);
      await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*' });
      await using client = new Client({ endpoint: broker.endpoint });
      const ledger = new Ledger();
      for (let kill = 0; kill <= busKills / lanes; kill++) {
        await using dbmanager = await startDbmanager({ home: folder.path, broker: broker.endpoint });
        const about = `seed ${seed}, house ${number}, after kill ${kill}`;
        expect((await client.call(databaseCheck, {})).problems, about).toEqual([]);
        const found = await Promise.all(Array.from({ length: writers }, (_, writer) => storedOn(client, writer)));
        expect(found.flatMap((stored, writer) => ledger.problemsOf(writer, stored)), about).toEqual([]);
        if (kill === busKills / lanes) break;
        const first = Promise.withResolvers<void>();
        const writing = found.map((stored, writer) => write(client, writer, numberIn(stored), (number) => {
          ledger.acknowledge(writer, number);
          first.resolve();
        }));
        await first.promise;
        await timePasses(random.between(0, 120));
        await dbmanager.kill();
        await Promise.all(writing);
      }
      return ledger.writes;
    };

    const writes = await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    for (const count of writes) expect(count).toBeGreaterThanOrEqual(busKills / lanes);
  });
});

async function storedOn(client: Client, writer: number): Promise<Stored> {
  const [values, { changes }] = await Promise.all([client.call(configGet, ownerOf(writer)), client.call(configHistory, { ...ownerOf(writer), limit: historyDepth })]);
  return { data: 'data' in values ? values.data : {}, changes };
}

/** Counts on until dbmanager is gone. Tried once each time: a write that came late would stand after its successors. */
async function write(client: Client, writer: number, last: number, acknowledged: (number: number) => void): Promise<void> {
  for (let number = last + 1; ; number++) {
    try {
      const { data } = await client.request(configSet.service, { action: configSet.action, data: { ...ownerOf(writer), data: valuesOf(number) } });
      expect(data).toMatchObject({ status: true });
    } catch (error) {
      if ((error instanceof BusError || error instanceof PeerError) && error.code !== 'DEADLINE_EXCEEDED') return;
      throw error;
    }
    acknowledged(number);
  }
}
