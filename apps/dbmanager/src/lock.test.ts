import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartError } from '@majordomus/runtime';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { takeLock } from './lock.ts';

const holder = `
  import { takeLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
  globalThis.lock = takeLock(process.argv[1]);
  process.stdout.write('held');
  setInterval(() => {}, 1000);
`;

describe('the lock of a home', () => {
  it('is refused to a second one, in one line that says what to do', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'dbmanager.lock');
    using _held = takeLock(path);
    let refusal: unknown;
    try {
      takeLock(path);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(StartError);
    expect(refusal).toMatchObject({
      code: 'HOME_IN_USE',
      message: `another dbmanager runs on this home (it holds ${path}); stop it, or choose another home with --home or DOMUS_HOME`,
    });
  });

  it('is free again when it is given back', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'dbmanager.lock');
    for (let round = 0; round < 3; round++) takeLock(path)[Symbol.dispose]();
    expect(statSync(path).size).toBe(0);
  });

  it('is held against other processes, and free when its holder is killed with kill -9', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'dbmanager.lock');
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', holder, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => takeLock(path)).toThrow(expect.objectContaining({ code: 'HOME_IN_USE' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    takeLock(path)[Symbol.dispose]();
  });

  it('on what is no file says so', () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'dbmanager.lock');
    mkdirSync(path);
    expect(() => takeLock(path)).toThrow(expect.objectContaining({ code: 'HOME_NOT_WRITABLE' }));
  });
});
