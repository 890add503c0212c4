import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedHome, setAside, valuesIn, wallMs } from '../../test/damaged-home.ts';
import type { DeadlyRecovery } from '../../test/recover-and-die.ts';
import { recoverySteps } from './recovery.ts';
import { finishReplacement } from './set-aside.ts';

const dying = fileURLToPath(new URL('../../test/recover-and-die.ts', import.meta.url));

let home: DamagedHome;

beforeEach(() => {
  home = new DamagedHome();
});
afterEach(() => home[Symbol.dispose]());

describe('a recovery that is killed', () => {
  it.each(recoverySteps)('with -9 before the step "%s" leaves the old files, and the next start recovers', (last) => {
    home.fill(50);
    const bytes = readFileSync(home.path);
    bytes.fill(0, 0, 100);
    writeFileSync(home.path, bytes);
    const work: DeadlyRecovery = { path: home.path, backups: home.backups, wallMs, step: last };
    expect(spawnSync(process.execPath, [dying, JSON.stringify(work)], { encoding: 'utf8' })).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    expect(readFileSync(home.path).equals(bytes)).toBe(true);
    const { connection } = home.open();
    expect(valuesIn(connection).size).toBe(50);
    connection.close();
    expect(home.names()).toEqual(['majordomus.sqlite', setAside, 'majordomus.sqlite.known']);
  });

  it('between any two of its last renames is finished by the next start', () => {
    const parts = ['-wal', '-shm', ''];
    for (let done = 0; done <= parts.length + 1; done++) {
      for (const part of parts) writeFileSync(home.path + part, `old${part}`);
      writeFileSync(`${home.path}.recovered-t${done}`, 'new');
      for (const part of parts.slice(0, done)) renameSync(home.path + part, `${home.path}.corrupt-t${done}${part}`);
      if (done > parts.length) renameSync(`${home.path}.recovered-t${done}`, home.path);
      finishReplacement(home.path);
      expect(readFileSync(home.path, 'utf8')).toBe('new');
      for (const part of parts) expect(readFileSync(`${home.path}.corrupt-t${done}${part}`, 'utf8')).toBe(`old${part}`);
      expect(existsSync(`${home.path}-wal`)).toBe(false);
    }
  });
});
