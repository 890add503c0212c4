import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemdUnit, type UnitOptions } from './systemd-unit.ts';

const node = process.execPath;
const hasSystemd = process.env['CI'] === 'true' || spawnSync('systemd-analyze', ['--version']).status === 0;

/** What systemd finds wrong with a unit, and where it stands by its own measure: 0 is shut in, 10 is open. */
function analyzed(unit: string, user = false): { readonly problems: string; readonly exposure: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'majordomus-unit-'));
  const file = join(folder, 'majordomus.service');
  const env = { ...process.env, XDG_RUNTIME_DIR: folder, SYSTEMD_LOG_LEVEL: 'warning' };
  try {
    writeFileSync(file, unit);
    const { stderr, error } = spawnSync('systemd-analyze', [...(user ? ['--user'] : []), 'verify', file], { encoding: 'utf8', env });
    if (error !== undefined) throw error;
    // It says as much of other units of this machine, if there are any.
    const problems = stderr.split('\n').filter((line) => line.includes('majordomus')).join('\n');
    const report = user ? '' : execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
    return { problems, exposure: () => Number(/exposure level[^:]*: ([\d.]+)/.exec(report)?.[1]) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unit(options: Partial<UnitOptions> = {}): string {
  return systemdUnit({ user: false, command: [node, '/usr/lib/node_modules/majordomus/bin/domus.js', 'up'], home: undefined, ...options });
}

describe.skipIf(!hasSystemd)('the unit, as systemd reads it (skipped where systemd-analyze is not there)', () => {
  it('is understood whole, for the system and for a user', () => {
    expect(analyzed(unit()).problems).toBe('');
    expect(analyzed(unit({ home: '/srv/house' })).problems).toBe('');
    expect(analyzed(unit({ user: true, home: '/home/ann/.majordomus' }), true).problems).toBe('');
  });

  it('is seen to be wrong where it is wrong', () => {
    expect(analyzed(unit().replace('ProtectHome', 'ProtectHouse')).problems).toContain('ProtectHouse');
    expect(analyzed(unit({ command: ['/nowhere/node'] })).problems).toContain('/nowhere/node');
  });

  it('shuts the service of the system in', () => {
    expect(analyzed(unit()).exposure()).toBeLessThan(5);
    expect(analyzed(unit().replace('NoNewPrivileges=yes', '')).exposure()).toBeGreaterThan(analyzed(unit()).exposure());
  });

  it('leaves each word of the command one word', () => {
    const words = [node, 'up', '--home', '/srv/an old "house" $HOME 100%\\'];
    expect(analyzed(unit({ command: words })).problems).toBe('');
  });
});

describe('the unit', () => {
  it('keeps what has a sign of systemd in it as it is, by doubling or escaping', () => {
    expect(unit({ command: ['/usr/bin/node', 'up', '--home', '/srv/my house', '/a$b/100%'] })).toContain('ExecStart=/usr/bin/node up --home "/srv/my house" /a$$b/100%%\n');
  });

  it('has a folder from systemd, or may write into the home that is named', () => {
    expect(unit()).toContain('StateDirectory=majordomus\n');
    expect(unit()).not.toContain('ReadWritePaths');
    expect(unit({ home: '/srv/house' })).toContain('ReadWritePaths=/srv/house\n');
    expect(unit({ home: '/srv/house' })).not.toContain('StateDirectory');
  });

  it('is as docs/operating.md says', () => {
    const page = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/`([A-Z]\w+=[^\s`]+)`/g)].map((word) => word[1]);
    expect(told).toContain('Type=notify');
    for (const line of told) expect(unit()).toContain(line);
  });
});
