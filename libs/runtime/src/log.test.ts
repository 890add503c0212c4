// What a process prints of its log.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

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
