// What a person reads of the JSON lines that a part prints.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { logText } from './log.ts';

const atMs = Date.UTC(2026, 10, 22, 15, 30, 0, 250);
const plain = logText(false);

/** A line as createLog prints it. */
function line(fields: Record<string, unknown>): string {
  return JSON.stringify({ level: 30, time: atMs, name: 'broker', ...fields });
}

describe('a line of the log', () => {
  it('has its time, its level and its message', () => {
    expect(plain(line({ msg: 'listening' }))).toMatch(/^\[2026-11-2\d \d\d:\d\d:00\.250\] INFO: listening$/);
  });

  it('has its facts on the same line', () => {
    expect(plain(line({ level: 40, msg: 'dropped', kind: 'bad frame', count: 3 }))).toMatch(/WARN: dropped \{"kind":"bad frame","count":3\}$/);
  });

  it('has the stack of an error', () => {
    const text = plain(line({ level: 60, msg: 'ended', err: { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at there' } }));
    expect(text).toContain('FATAL: ended');
    expect(text).toContain('at there');
  });

  it('is coloured only when asked', () => {
    expect(plain(line({ msg: 'listening' }))).not.toContain('\u001B[');
    expect(logText(true)(line({ msg: 'listening' }))).toContain('\u001B[');
  });
});

describe('what is not a line of the log', () => {
  it.each(['hello', '', '{"some":"json"}', '{"level":', '{"level":"high"', '  indented'])('passes as it is: %j', (text) => {
    expect(plain(text)).toBe(text);
  });
});

describe('the log of a process', () => {
  const index = JSON.stringify(new URL('index.ts', import.meta.url).href);

  function printed(level: string, asText: boolean): string {
    const script = `
      import { createLog } from ${index};
      const log = createLog('tester', '${level}', ${asText});
      log.debug('detail'); log.info({ port: 1 }, 'listening'); log.error('broken');
      process.exit(0);
    `;
    return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout;
  }

  it('is complete when the process exits, and has no pid and no host', () => {
    const lines = printed('debug', false).trimEnd().split('\n').map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(lines.map(({ time: _time, ...rest }) => rest)).toEqual([
      { level: 20, name: 'tester', msg: 'detail' },
      { level: 30, name: 'tester', port: 1, msg: 'listening' },
      { level: 50, name: 'tester', msg: 'broken' },
    ]);
  });

  it('says no more than its level, and nothing when silent', () => {
    expect(printed('error', false).trimEnd().split('\n')).toHaveLength(1);
    expect(printed('silent', false)).toBe('');
  });

  it('is text for a person', () => {
    expect(printed('info', true)).toMatch(/INFO: listening \{"port":1\}\n.*ERROR: broken\n$/);
  });
});
