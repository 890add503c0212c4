import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '@majordomus/runtime';
import { RevealLog } from './reveal-log.ts';

const reveal = { action: 'config.get', host: 'igor', plugin: 'vault', keys: ['password'] };
const minuteMs = 60_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function reading(): { log: RevealLog; lines: string[] } {
  const lines: string[] = [];
  return { lines, log: new RevealLog(createLog('dbmanager', 'info', true, (line) => lines.push(line.replace(/^.*?INFO: /, '')))) };
}

/** Who, and how often if it was more than once. */
const toldOf = (lines: readonly string[]): unknown => lines.map((line) => /"by":"([^"]+)"(?:,"times":(\d+))?/.exec(line)?.slice(1));

it('each time that somebody is given secrets stands in the log, with who asked', () => {
  const { log, lines } = reading();
  for (const by of ['ann@igor', 'ann@igor', undefined, 'igor.lamp']) log.tell({ ...reveal, by });
  expect(lines).toEqual(['ann@igor', 'ann@igor', 'unknown', 'igor.lamp'].map((by) => expect.stringMatching(`^config.get gave secrets in clear .*"keys":\\["password"\\],"by":"${by}"\\}`) as string));
});

it('a plugin that reads its own again and again is told of once in ten minutes, with how often it was', () => {
  const { log, lines } = reading();
  for (let minute = 0; minute < 25; minute++) {
    log.tell({ ...reveal, by: 'igor.vault' });
    vi.advanceTimersByTime(minuteMs);
  }
  log.tell({ ...reveal, plugin: 'lamp', by: 'igor.lamp' });
  expect(toldOf(lines)).toEqual([['igor.vault', undefined], ['igor.vault', '9'], ['igor.vault', '10'], ['igor.lamp', undefined]]);
  log[Symbol.dispose]();
  expect(toldOf(lines.slice(4))).toEqual([['igor.vault', '5']]);
});

it('who gives the name of a plugin is told of at once with another action or other keys, and with the same when the pause ends', () => {
  const { log, lines } = reading();
  const by = 'igor.vault';
  log.tell({ ...reveal, by });
  log.tell({ ...reveal, by });
  log.tell({ ...reveal, by, action: 'config.history' });
  log.tell({ ...reveal, by, keys: ['password', 'token'] });
  expect(lines.map((line) => line.split(' gave')[0])).toEqual(['config.get', 'config.history', 'config.get']);
  vi.advanceTimersByTime(10 * minuteMs);
  expect(lines.slice(3)).toEqual([expect.stringContaining('"keys":["password"],"by":"igor.vault"')]);
  vi.advanceTimersByTime(60 * minuteMs);
  expect(lines).toHaveLength(4);
});
