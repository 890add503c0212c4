// What a person is told whose home has another configuration than at its last start. Real files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths } from '@majordomus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberStart, tellOfLastStart, type LastStart } from './last-start.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-last-start-'));
  mkdirSync(homePaths(home).run);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const own: LastStart = { host: 'igor' };
const joined: LastStart = { host: 'igor', join: 'tcp://192.0.2.1:40410' };

describe('a home', () => {
  it('that is new, or is what it was, tells nothing', () => {
    expect(tellOfLastStart(home, own)).toBeUndefined();
    for (const start of [own, joined]) {
      rememberStart(home, start);
      expect(tellOfLastStart(home, start)).toBeUndefined();
    }
  });

  it.each([
    [own, { host: 'martha' }, /^this home was last started as host igor, and is martha now: what was configured for igor does not apply, .*"--host igor" brings it back$/],
    [own, joined, /^this home was a house of its own, and joins the one at tcp:\/\/192\.0\.2\.1:40410 now: its own configuration stays in it and does not apply$/],
    [joined, own, /^this home had joined the house at tcp:\/\/192\.0\.2\.1:40410, and is a house of its own now: .*"--join tcp:\/\/192\.0\.2\.1:40410" brings it back$/],
    [joined, { ...joined, join: 'tcp://192.0.2.9:40410' }, /^this home had joined the house at tcp:\/\/192\.0\.2\.1:40410, and joins the one at tcp:\/\/192\.0\.2\.9:40410 now/],
  ])('that was %j and is %j now says what does not apply', (before, now, told) => {
    rememberStart(home, before);
    expect(tellOfLastStart(home, now)).toMatch(told);
  });

  it.each(['', '{', '[]', '{"host": 5}'])('whose record is damaged (%s) tells nothing', (text) => {
    writeFileSync(join(homePaths(home).run, 'last-start.json'), text);
    expect(tellOfLastStart(home, own)).toBeUndefined();
  });

  it('that cannot remember starts all the same', () => {
    rmSync(homePaths(home).run, { recursive: true });
    rememberStart(home, own);
    expect(tellOfLastStart(home, { host: 'martha' })).toBeUndefined();
  });
});
