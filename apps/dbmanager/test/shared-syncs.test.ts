// docs/architecture.md, "Durability": concurrent writes share a commit. Counted, not timed: a busy machine changes
// nothing. bench/ says what it brings.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cannotTrace, syncsCounted } from './strace.ts';
import { tracedHouse } from './traced-house.ts';

const callers = 256;
const writesEach = 20;

describe.skipIf(cannotTrace !== undefined)(`the syncs of dbmanager${cannotTrace === undefined ? '' : ` (${cannotTrace})`}`, { timeout: 180_000 }, () => {
  it(`are one for 16 acknowledged writes of ${callers} callers on the bus, at most, those of checkpoints among them`, async () => {
    await using house = await tracedHouse();
    const dbmanager = await house.start({ wrapper: syncsCounted(house.trace) });
    await Promise.all(Array.from({ length: callers }, async (_, caller) => {
      for (let value = 0; value < writesEach; value++) await house.write(`caller${caller}`, value);
    }));
    await dbmanager.kill();
    const syncs = readFileSync(house.trace, 'utf8').split('\n').filter((line) => /\bf(?:data)?sync\(/.test(line)).length;
    // One caller's writes cannot share, so that there are this many at least.
    expect(syncs).toBeGreaterThanOrEqual(writesEach);
    expect(syncs).toBeLessThanOrEqual((callers * writesEach) / 16);
  });
});
