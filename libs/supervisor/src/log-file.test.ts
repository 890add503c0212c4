import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile, logDefaults, type LogSettings } from './log-file.ts';

let folder = '';
let failures: unknown[] = [];
const opened: LogFile[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'majordomus-log-'));
  failures = [];
});
afterEach(() => {
  for (const log of opened.splice(0)) log.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(settings: Partial<LogSettings> = {}): LogFile {
  const log = new LogFile(folder, 'disk', { ...logDefaults, ...settings }, (error) => failures.push(error));
  opened.push(log);
  return log;
}
const file = (name = 'disk.log'): string => readFileSync(join(folder, name), 'utf8');
const numbered = (count: number, first = 1): string[] => Array.from({ length: count }, (_, index) => `line ${first + index}`);

describe('the log of a process', () => {
  it('is a file of what was printed, for its owner alone', () => {
    open().append(['one', 'two']);
    expect(file()).toBe('one\ntwo\n');
    expect(statSync(join(folder, 'disk.log')).mode & 0o777).toBe(0o600);
  });

  it('is there again with the next line when somebody has deleted it, or its folder', () => {
    const log = open();
    log.append(['one']);
    rmSync(join(folder, 'disk.log'));
    log.append(['two']);
    expect(file()).toBe('two\n');
    rmSync(folder, { recursive: true });
    log.append(['three']);
    expect(file()).toBe('three\n');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(log.read({ lines: 3 }).lines).toEqual(['one', 'two', 'three']);
    expect(failures).toEqual([]);
  });

  it('shows log entries as text, and everything else as it is', () => {
    const [entry, other] = open().append(['{"level":40,"time":1795351147194,"name":"disk","path":"/mnt","msg":"slow mount"}', '{"level":']);
    expect(entry).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] WARN: slow mount \{"path":"\/mnt"\}$/);
    expect(other).toBe('{"level":');
  });

  it('shows a stack as several lines', () => {
    const lines = open().append([JSON.stringify({ level: 50, time: 1, msg: 'failed', err: { type: 'Error', message: 'no', stack: 'Error: no\n    at here' } })]);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join('\n')).toContain('at here');
  });

  it('has no control characters, of plain lines or inside of log entries', () => {
    open().append(['\u001b[2Jplain', '{"level":30,"time":1,"msg":"\\u001b[31mred\\u0007"}', 'tab\there']);
    expect(file()).toContain(String.raw`\x1b[2Jplain`);
    expect(file()).toContain('[31mred');
    expect(file()).toContain('tab\there');
    expect(file()).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });

  it('has lines of a bounded length, also after escaping', () => {
    const [line] = open().append(['\u001b'.repeat(16 * 1024)]);
    expect(line?.length).toBeLessThan(17 * 1024);
    expect(line).toMatch(/\(cut\)$/);
  });

  it('takes whatever is printed', () => {
    const log = open();
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.record({ level: fc.jsonValue(), time: fc.jsonValue(), msg: fc.jsonValue(), err: fc.jsonValue() }).map((entry) => JSON.stringify(entry)));
    fc.assert(fc.property(fc.array(line.filter((text) => !text.includes('\n'))), (lines) => {
      for (const shown of log.append(lines)) expect(shown).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }));
    expect(failures).toEqual([]);
  });
});

describe('its files', () => {
  it('are rotated by size and bounded in number', () => {
    const log = open({ logBytes: 100, logFiles: 3 });
    for (const line of numbered(100)) log.append([line.padEnd(19, '.')]);
    expect(readdirSync(folder).sort()).toEqual(['disk.log', 'disk.log.1', 'disk.log.2']);
    expect(file('disk.log.2').split('\n')[0]).toMatch(/^line 86/);
    expect(file('disk.log.1').split('\n')[0]).toMatch(/^line 91/);
    expect(file().trimEnd().split('\n').at(-1)).toMatch(/^line 100/);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
  });

  it('may be a single one', () => {
    const log = open({ logBytes: 100, logFiles: 1 });
    for (const line of numbered(100)) log.append([line]);
    expect(readdirSync(folder)).toEqual(['disk.log']);
    expect(statSync(join(folder, 'disk.log')).size).toBeLessThanOrEqual(100);
  });

  it('take what is larger than a file whole', () => {
    const log = open({ logBytes: 10 });
    log.append(['a line of more than ten bytes']);
    log.append(['another line of more']);
    expect(file('disk.log.1')).toBe('a line of more than ten bytes\n');
    expect(file()).toBe('another line of more\n');
  });

  it('are rotated at the same size after a restart', () => {
    open({ logBytes: 100 }).append(['x'.repeat(90)]);
    open({ logBytes: 100 }).append(['y'.repeat(90)]);
    expect(file('disk.log.1')).toContain('x');
    expect(file()).not.toContain('x');
  });

  it('that cannot be written are told once, and the lines are in memory; when they can be again, it goes on', () => {
    const log = open();
    mkdirSync(join(folder, 'disk.log'));
    log.append(['one']);
    log.append(['two']);
    expect(failures).toHaveLength(1);
    expect(log.read({ lines: 10 }).lines).toEqual(['one', 'two']);
    rmSync(join(folder, 'disk.log'), { recursive: true });
    log.append(['three']);
    expect(file()).toBe('three\n');
    expect(failures).toHaveLength(1);
  });
});

describe('its last lines', () => {
  it('are read by number, and from a position on', () => {
    const log = open();
    log.append(numbered(5));
    expect(log.read({ lines: 2 })).toEqual({ lines: ['line 4', 'line 5'], next: 5 });
    expect(log.read({ lines: 50 })).toEqual({ lines: numbered(5), next: 5 });
    expect(log.read({ lines: 50, after: 5 })).toEqual({ lines: [], next: 5 });
    log.append(numbered(3, 6));
    expect(log.read({ lines: 50, after: 5 })).toEqual({ lines: numbered(3, 6), next: 8 });
    expect(log.read({ lines: 2, after: 5 })).toEqual({ lines: ['line 6', 'line 7'], next: 7 });
    expect(log.read({ lines: 2, after: 7 })).toEqual({ lines: ['line 8'], next: 8 });
  });

  it('are read in full by who follows, however much is printed between two reads of what is kept', () => {
    // No file can be in what is no folder, so every line is in memory alone.
    writeFileSync(join(folder, 'no-folder'), '');
    fc.assert(fc.property(fc.array(fc.record({ print: fc.nat(60), read: fc.integer({ min: 1, max: 20 }) }), { maxLength: 20 }), (turns) => {
      const log = new LogFile(join(folder, 'no-folder'), 'disk', logDefaults, () => {});
      const seen: string[] = [];
      let [printed, next] = [0, 0];
      for (const { print, read } of turns) {
        log.append(numbered(print, printed + 1));
        printed += print;
        for (let more = true; more;) {
          const reply = log.read({ lines: read, after: next });
          seen.push(...reply.lines);
          next = reply.next;
          more = reply.lines.length > 0;
        }
      }
      expect(seen).toEqual(numbered(printed));
    }), { numRuns: 50 });
  });

  it('are at most 500, and at most half a million characters: memory is bounded', () => {
    const log = open();
    log.append(numbered(2000));
    expect(log.read({ lines: 1000 })).toEqual({ lines: numbered(500, 1501), next: 2000 });
    expect(log.read({ lines: 10, after: 3 }).lines[0]).toBe('line 1501');
    for (let line = 0; line < 100; line += 1) log.append(['x'.repeat(16_000)]);
    const { lines, next } = log.read({ lines: 1000 });
    expect(lines.join('').length).toBeLessThanOrEqual(512 * 1024);
    expect(lines.length).toBeGreaterThan(30);
    expect(next).toBe(2100);
  });

  it('are there after a restart, at the same positions, also from the files before', () => {
    const before = open({ logBytes: 200 });
    before.append(numbered(20));
    before.append(numbered(10, 21));
    const { next } = before.read({ lines: 1 });
    const log = open({ logBytes: 200 });
    expect(log.read({ lines: 12 })).toEqual({ lines: numbered(12, 19), next });
    log.append(['after']);
    expect(log.read({ lines: 50, after: next })).toEqual({ lines: ['after'], next: next + 1 });
  });

  it('after a restart are as many as before of a long log, with the positions going on', () => {
    open().append(numbered(2000));
    expect(open().read({ lines: 3, after: 1990 })).toEqual({ lines: numbered(3, 1991), next: 1993 });
    expect(open().read({ lines: 1000 }).lines).toHaveLength(500);
  });

  it('after a restart are the last of the files, however many lines those have: the positions count all of them', () => {
    writeFileSync(join(folder, 'disk.log.1'), 'old\n'.repeat(200_000));
    writeFileSync(join(folder, 'disk.log'), 'a\nb\nhalf a li');
    expect(open().read({ lines: 3 })).toEqual({ lines: ['old', 'a', 'b'], next: 200_002 });
    expect(open().read({ lines: 1000 }).lines).toHaveLength(500);
    writeFileSync(join(folder, 'disk.log'), 'new\n'.repeat(600));
    expect(open().read({ lines: 1000 })).toEqual({ lines: Array.from({ length: 500 }, () => 'new'), next: 200_600 });
  });

  it('are read anew from a position that is beyond the end: files were dropped before a restart', () => {
    writeFileSync(join(folder, 'disk.log'), 'a\nb\nc\n');
    expect(open().read({ lines: 2, after: 12_345 })).toEqual({ lines: ['b', 'c'], next: 3 });
  });
});
