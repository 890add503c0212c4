import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HouseLog } from './house-log.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-house-log-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** What is in the file and what is in the terminal, without times, after a line of each kind. */
function linesAt(logLevel: string): { readonly file: string; readonly terminal: string } {
  const printed: string[] = [];
  using houseLog = new HouseLog({ home, logLevel }, (text) => printed.push(text));
  houseLog.log.debug('it looks');
  houseLog.log.info('it runs');
  houseLog.log.warn({ part: 'disk' }, 'it ended');
  const withoutTimes = (text: string): string => text.replaceAll(/^\[[^\]]*\] /gm, '');
  return { file: withoutTimes(readFileSync(join(home, 'logs', 'house.log'), 'utf8')), terminal: withoutTimes(printed.join('\n')) };
}

describe('the log of the house', () => {
  it('has everything in its file, and in the terminal only what a person should know', () => {
    expect(linesAt('info')).toEqual({ file: 'INFO: it runs\nWARN: it ended {"part":"disk"}\n', terminal: 'WARN: it ended {"part":"disk"}' });
  });

  it('shows more when it is asked for more', () => {
    expect(linesAt('debug')).toMatchObject({ file: 'DEBUG: it looks\nINFO: it runs\nWARN: it ended {"part":"disk"}\n', terminal: 'DEBUG: it looks\nINFO: it runs\nWARN: it ended {"part":"disk"}' });
    expect(linesAt('warn').terminal).toBe('WARN: it ended {"part":"disk"}');
  });
});
