import { describe, expect, it } from 'vitest';
import { judge } from './sync-trace.ts';

const log = '12</home/db/majordomus.sqlite-wal>';
const header = (size: number): string => `20 10:00:00.1 pwrite64(${log}, "${'\\x00'.repeat(7)}\\x0${size}${'\\x01'.repeat(16)}", 24, 32) = 24`;
const page = (text: string): string => `20 10:00:00.1 pwrite64(${log}, "${text}", ${text.length}, 56) = ${text.length}`;
const commit = (text: string): string[] => [header(5), page(text)];
const sync = (result = '0'): string => `20 10:00:00.2 fsync(${log}) = ${result}`;
const reply = (mark: string): string => `10 10:00:00.3 writev(30<socket:[77]>, [{iov_base="\\x01\\x02", iov_len=2}, {iov_base="{\\"status\\":true,\\"plugin\\":\\"${mark}\\"}", iov_len=9}], 2) = 11`;
const judged = (...lines: string[]): ReturnType<typeof judge> => judge(lines.join('\n'), ['m1', 'm2']);

describe('the judge of a trace', () => {
  it('is content with a reply after a sync after the commit', () => {
    expect(judged(...commit('..m1..'), sync(), reply('m1'))).toEqual({ proven: ['m1'], problems: [], syncs: 1 });
  });

  it('is content with two writes in one commit', () => {
    expect(judged(header(0), page('..m1..'), header(5), page('m2'), sync(), reply('m1'), reply('m2')).proven).toEqual(['m1', 'm2']);
  });

  it.each<[string, string[], string]>([
    ['without a write', [reply('m1')], 'not written'],
    ['before the sync', [...commit('m1'), reply('m1'), sync()], 'committed and not synced'],
    ['after a sync that failed', [...commit('m1'), sync('-1 EIO (Input/output error)'), reply('m1')], 'committed and not synced'],
    ['after a sync of the database, not of its log', [...commit('m1'), '20 10:00:00.2 fsync(11</home/db/majordomus.sqlite>) = 0', reply('m1')], 'committed and not synced'],
    ['after a sync of what was written before', [...commit('m2'), sync(), ...commit('m1'), reply('m1')], 'committed and not synced'],
    ['before its commit', [header(0), page('m1'), sync(), reply('m1')], 'written and not synced'],
    ['while its sync is under way', [...commit('m1'), `20 10:00:00.2 fsync(${log} <unfinished ...>`, reply('m1'), '20 10:00:00.4 <... fsync resumed>) = 0'], 'committed and not synced'],
    ['after a sync that began before the write', [`21 10:00:00.0 fdatasync(${log} <unfinished ...>`, ...commit('m1'), '21 10:00:00.2 <... fdatasync resumed>) = 0', reply('m1')], 'committed and not synced'],
    ['after a write that failed', [header(5), `20 10:00:00.1 pwrite64(${log}, "m1", 2, 56) = -1 ENOSPC (No space left on device)`, sync(), reply('m1')], 'not written'],
  ])('names a reply that left %s', (_when, lines, state) => {
    expect(judged(...lines)).toMatchObject({ proven: [], problems: [`the reply to m1 left when it was ${state}`] });
  });

  it('wants a sync of what stood in the log before, too', () => {
    expect(judge(reply('m1'), ['m1'], ['m1']).problems).toEqual(['the reply to m1 left when it was committed and not synced']);
    expect(judge([sync(), reply('m1')].join('\n'), ['m1'], ['m1']).proven).toEqual(['m1']);
  });

  it('reads calls that were interrupted by others, and every way in which strace writes bytes', () => {
    const lines = [
      header(5),
      `20 10:00:00.1 pwrite64(${log}, "\\x6d\\x31\\"\\\\\\n", 5, 56 <unfinished ...>`,
      '10 10:00:00.1 write(22<anon_inode:[eventfd]>, "\\x01", 1) = 1',
      '20 10:00:00.1 <... pwrite64 resumed>) = 5',
      `20 10:00:00.2 fdatasync(${log} <unfinished ...>`,
      '20 10:00:00.3 <... fdatasync resumed>) = 0',
      reply('m1'),
    ];
    expect(judged(...lines)).toEqual({ proven: ['m1'], problems: [], syncs: 1 });
  });
});
