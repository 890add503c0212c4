import type { PluginStatus } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { welcomeText, type Welcome } from './welcome.ts';

const status = { state: 'running', sinceMs: 0, pid: 1, restarts: 0, reason: '', lastError: '', memoryMb: null, memoryLimitMb: null } as const;
const diskfree: PluginStatus = { ...status, id: 'igor.diskfree', host: 'igor', name: 'diskfree', version: '1.0.0', autostart: true };
const welcome: Welcome = {
  host: 'igor', home: '/home/ann/house', endpoint: 'tcp://127.0.0.1:40410', primary: undefined, parts: [{ ...status, name: 'broker' }], plugins: [diskfree],
  isFirst: true, homeIsTyped: false, seconds: 1.23, nowMs: 0,
};

describe('the welcome', () => {
  it('says the first time what runs, where it is, and three things to try', () => {
    const text = welcomeText(welcome);
    expect(text).toMatch(/^Welcome\./);
    expect(text).toMatch(/^broker +running/m);
    expect(text).toMatch(/^Logs +\/home\/ann\/house\/logs$/m);
    expect(text.match(/ {3}\.\/domus .+$/gm)?.map((line) => line.trim())).toEqual([
      './domus status', './domus call igor.diskfree helper.do command=list', './domus config set diskfree limit 80',
    ]);
  });

  it('is short later, and ends alike', () => {
    const text = welcomeText({ ...welcome, isFirst: false });
    expect(text).not.toMatch(/Welcome|to try|Logs/);
    expect(text.split('\n').slice(-5)).toEqual(['Host     igor', 'Home     /home/ann/house', 'Broker   tcp://127.0.0.1:40410', '', expect.stringMatching(/^Majordomus \S+ is ready after 1\.2 s\. Ctrl-C stops it\.$/)]);
  });

  it('offers a first plugin where there is none', () => {
    expect(welcomeText({ ...welcome, plugins: [] })).toMatch(/^ {2}Install a first plugin +\.\/domus plugin install diskfree$/m);
  });

  it('names the home in the commands if it was typed, as a word of a shell', () => {
    expect(welcomeText({ ...welcome, homeIsTyped: true, home: "/home/ann's house" })).toContain(String.raw`./domus --home '/home/ann'\''s house' status`);
  });

  it('says whose house was joined', () => {
    expect(welcomeText({ ...welcome, primary: 'cellar' })).toMatch(/^Joined +the house of cellar$/m);
  });
});
