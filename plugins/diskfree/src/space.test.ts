import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spaceOf } from './space.ts';

describe('the space of a file system', () => {
  it('is what df shows: what is reserved for root is neither used nor free', () => {
    // df -kP: 264212084 1024-blocks, 23254076 used, 83136836 available, 22%
    expect(spaceOf({ frsize: 1024n, bsize: 4096n, blocks: 264_212_084n, bfree: 264_212_084n - 23_254_076n, bavail: 83_136_836n })).toEqual({
      size: 264_212_084 * 1024,
      used: 23_254_076 * 1024,
      free: 83_136_836 * 1024,
      usedPercent: 22,
    });
  });

  it('is full at 100 percent, and nowhere before', () => {
    expect(spaceOf({ bsize: 4096n, blocks: 1000n, bfree: 0n, bavail: 0n }).usedPercent).toBe(100);
    expect(spaceOf({ bsize: 4096n, blocks: 1000n, bfree: 10n, bavail: 10n }).usedPercent).toBe(99);
    expect(spaceOf({ bsize: 4096n, blocks: 1000n, bfree: 999n, bavail: 999n }).usedPercent).toBe(1);
  });

  it('is nothing where there are no blocks, as in /proc', () => {
    expect(spaceOf({ bsize: 4096n, blocks: 0n, bfree: 0n, bavail: 0n })).toEqual({ size: 0, used: 0, free: 0, usedPercent: 0 });
  });

  it('is between 0 and 100 percent for any counts', () => {
    const count = fc.bigInt({ min: 0n, max: 2n ** 40n });
    fc.assert(
      fc.property(count, count, count, (used, free, reserved) => {
        const { usedPercent } = spaceOf({ bsize: 4096n, blocks: used + free + reserved, bfree: free + reserved, bavail: free });
        expect(usedPercent).toBeGreaterThanOrEqual(used > 0n ? 1 : 0);
        expect(usedPercent).toBeLessThanOrEqual(100);
      }),
    );
  });
});
