import { expect, it } from 'vitest';
import { createLog } from '@majordomus/runtime';
import { RevealLog } from './reveal-log.ts';

const reveal = { action: 'config.get', host: 'igor', plugin: 'vault', keys: ['password'] };

function reading(): { log: RevealLog; lines: string[]; wait: (minutes: number) => void } {
  const lines: string[] = [];
  let nowMs = 0;
  const log = createLog('dbmanager', 'info', true, (line) => lines.push(line.replace(/^.*?INFO: /, '')));
  return { lines, log: new RevealLog(log, { monotonicMs: () => nowMs, wallMs: () => 0 }), wait: (minutes) => (nowMs += minutes * 60_000) };
}

it('each time that somebody is given secrets stands in the log, with who asked', () => {
  const { log, lines } = reading();
  for (const by of ['ann@igor', 'ann@igor', undefined, 'igor.lamp']) log.tell({ ...reveal, by });
  expect(lines).toEqual(['ann@igor', 'ann@igor', 'unknown', 'igor.lamp'].map((by) => expect.stringMatching(`^config.get gave secrets in clear .*"keys":\\["password"\\],"by":"${by}"\\}`) as string));
});

it('a plugin that reads its own again and again is told of once in ten minutes, with how often it was', () => {
  const { log, lines, wait } = reading();
  for (let minute = 0; minute < 25; minute++) {
    log.tell({ ...reveal, by: 'igor.vault' });
    wait(1);
  }
  log.tell({ ...reveal, plugin: 'lamp', by: 'igor.lamp' });
  expect(lines.map((line) => /"by":"([^"]+)"(?:,"times":(\d+))?/.exec(line)?.slice(1))).toEqual([['igor.vault', undefined], ['igor.vault', '10'], ['igor.vault', '10'], ['igor.lamp', undefined]]);
});
