import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemPrograms, systemProgramsLine } from './system-programs.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'majordomus-programs-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the system programs', () => {
  const programs = systemPrograms('# a comment\n\nowl  birds-utils  sees at night\nhen birds  lays eggs\n');

  it('are read from a list with their package and purpose', () => {
    expect(programs).toEqual([
      { name: 'owl', debianPackage: 'birds-utils', purpose: 'sees at night' },
      { name: 'hen', debianPackage: 'birds', purpose: 'lays eggs' },
    ]);
  });

  it('are all described in the list of this checkout', () => {
    expect(systemPrograms()).not.toEqual([]);
    for (const program of systemPrograms()) expect(Object.values(program)).not.toContain('');
  });

  it('that are missing are told in one line, with what they are for', () => {
    writeFileSync(join(folder, 'owl'), '');
    chmodSync(join(folder, 'owl'), 0o755);
    expect(systemProgramsLine(programs, `/nowhere:${folder}`)).toBe(
      'system programs: not found, so that some tests prove less or are skipped: hen (package birds; lays eggs)',
    );
  });

  it('that are all there are told too', () => {
    for (const name of ['owl', 'hen']) {
      writeFileSync(join(folder, name), '');
      chmodSync(join(folder, name), 0o755);
    }
    expect(systemProgramsLine(programs, folder)).toBe('system programs: owl, hen; all found');
  });

  it('that are files are looked for where they are, and need not be programs', () => {
    const nest = systemPrograms(`${join(folder, 'nest')} birds is built\n`);
    expect(systemProgramsLine(nest, folder)).toBe(`system programs: not found, so that some tests prove less or are skipped: ${join(folder, 'nest')} (package birds; is built)`);
    writeFileSync(join(folder, 'nest'), '', { mode: 0o644 });
    expect(systemProgramsLine(nest, '')).toBe(`system programs: ${join(folder, 'nest')}; all found`);
  });

  it('that cannot be executed are missing', () => {
    for (const name of ['owl', 'hen']) writeFileSync(join(folder, name), '', { mode: 0o644 });
    expect(systemProgramsLine(programs, folder)).toContain('owl (');
  });
});
