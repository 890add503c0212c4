// A house whose disk has no room for a single byte more; what dbmanager then does is tested there.
import { describe, expect, it } from 'vitest';
import { Tmpfs } from '../chaos/tmpfs.ts';
import { Home } from './home.ts';
import { untilTrue } from './waiting.ts';

describe.skipIf(process.env['CI'] !== 'true' && !Tmpfs.canMount())('a house on a full disk', () => {
  it('starts, and its commands find it when there is room again', { timeout: 90_000 }, async () => {
    using disk = Tmpfs.mount() ?? expect.unreachable('a small disk needs root on Linux');
    await using home = new Home(undefined, disk.folder);
    await (await home.up()).stop();
    disk.fill();
    await using house = await home.up();
    expect(await house.client.manage('mmi.service', 'dbmanager')).toBe('200');
    disk.free();
    await untilTrue('the house is found', async () => (await home.run('status')).code === 0);
  });
});
