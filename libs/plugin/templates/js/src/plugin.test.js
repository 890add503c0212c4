// The plugin in a house that is in memory: `npm test` runs it at once, and minutes pass when the test says so.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { testPlugin } from '@majordomus/plugin';
import { memoryPlugin } from './plugin.js';

test('measures now, and then at each interval', async (t) => {
  let used = 40;
  const plugin = await testPlugin(memoryPlugin(() => used), { configuration: { interval: 300 } });
  t.after(() => plugin.stop());
  used = 50;
  assert.deepEqual(await plugin.helper('memory'), { used: 40, measuredAt: '2026-01-01T00:00:00.000Z' });
  await plugin.clock.advance(300_000);
  assert.deepEqual(await plugin.helper('memory'), { used: 50, measuredAt: '2026-01-01T00:05:00.000Z' });
});

test('is not ready while it cannot measure, and then goes on', async (t) => {
  let isBroken = true;
  const plugin = await testPlugin(memoryPlugin(() => {
    if (isBroken) throw new Error('the sensor does not answer');
    return 60;
  }));
  t.after(() => plugin.stop());
  assert.deepEqual(plugin.state(), { ready: false, reason: 'the sensor does not answer' });
  isBroken = false;
  await plugin.clock.advance(60_000);
  assert.deepEqual(plugin.state(), { ready: true });
});

test('waits for a configuration that fits', async (t) => {
  const plugin = await testPlugin(memoryPlugin(), { configuration: { interval: 0 } });
  t.after(() => plugin.stop());
  assert.match(JSON.stringify(plugin.state()), /interval must be at least 1, not 0/);
  await plugin.configure({ interval: 5 });
  assert.deepEqual(plugin.state(), { ready: true });
});

test('measures the memory of this host', async (t) => {
  const plugin = await testPlugin(memoryPlugin());
  t.after(() => plugin.stop());
  assert.match(JSON.stringify(await plugin.helper('memory')), /^\{"used":\d{1,3},/);
});
