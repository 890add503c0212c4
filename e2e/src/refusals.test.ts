// A house that cannot start says why and what to do in one line, and its exit code is 1.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';

const anyPort = ['--bind', 'tcp://127.0.0.1:*'] as const;

/** The one line that it said, without the steps before it. */
function refusalOf({ code, stdout, stderr }: Ran): string {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.endsWith('…'));
  expect({ code, lines, stdout }).toEqual({ code: 1, lines: [expect.any(String)], stdout: '' });
  return lines[0] ?? '';
}

/** Tries to start a house on the home; nothing of it may be left. */
async function refusedUp(home: Home, ...args: readonly string[]): Promise<string> {
  const refusal = refusalOf(await home.run('up', ...args));
  expect(home.leftovers()).toEqual([]);
  return refusal;
}

it('a port that is in use', async () => {
  await using home = new Home();
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `tcp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  try {
    expect(await refusedUp(home, '--bind', endpoint)).toBe(`ADDRESS_IN_USE: ${endpoint} is in use by another program; stop it, or choose another address with --bind`);
  } finally {
    server.close();
  }
});

describe.concurrent('a home that cannot be written', () => {
  it('because it would be in a file', async () => {
    await using home = new Home();
    const file = join(home.root, 'file');
    writeFileSync(file, '');
    const refusal = refusalOf(await home.run('up', '--home', join(file, 'home'), ...anyPort));
    expect(refusal).toMatch(/^HOME_NOT_WRITABLE: cannot make the folder .*file\/home.* \(ENOTDIR\); choose another home with --home/);
  });

  it('because it is a file', async () => {
    await using home = new Home();
    writeFileSync(home.folder, '');
    expect(await refusedUp(home, ...anyPort)).toMatch(/^HOME_NOT_WRITABLE: .*; choose another home with --home/);
  });

  it('because nothing can be made where it would be', async () => {
    await using home = new Home();
    expect(refusalOf(await home.run('up', '--home', '/proc/majordomus', ...anyPort))).toMatch(/^HOME_NOT_WRITABLE: .*\/proc\/majordomus.*; choose another home with --home/);
  });

  it('because a part cannot make its own folder in it', async () => {
    await using home = new Home();
    mkdirSync(home.folder);
    writeFileSync(join(home.folder, 'db'), '');
    expect(await refusedUp(home, ...anyPort)).toMatch(/^HOME_NOT_WRITABLE: cannot make the folder .*\/db \(EEXIST\); choose another home with --home/);
  });
});

describe.concurrent('majordomus.toml', () => {
  it.each([
    ['that is no TOML', 'host = "igor"\nlog-level = = 3\n', /^CONFIG_FILE_INVALID: .*majordomus\.toml, line 2, column 13 is not valid TOML: .*; mend the line/],
    ['with a setting that does not exist', 'hots = "igor"\n', /^CONFIG_FILE_INVALID: hots in .*majordomus\.toml is not a setting; known: .*host/],
    ['with a wrong value', 'host = "Igor!"\n', /^SETTING_INVALID: host in .*majordomus\.toml: "Igor!" must be a host name/],
    ['with a limit of the broker that does not exist', '[limits]\nmax-patience = 3\n', /^CONFIG_FILE_INVALID: max-patience in \[limits\] of .*majordomus\.toml is not a setting; known: .*max-capacity/],
    ['with a wrong limit of the broker', '[limits]\nmax-capacity = "many"\n', /^SETTING_INVALID: max-capacity in .*majordomus\.toml: "many" must be a whole number above 0/],
  ])('%s', async (_what, text, expected) => {
    await using home = new Home();
    mkdirSync(home.folder);
    writeFileSync(join(home.folder, 'majordomus.toml'), text);
    expect(await refusedUp(home, ...anyPort)).toMatch(expected);
  });
});

describe.concurrent('a setting on the command line', () => {
  it.each([
    [['--host', 'Igor!'], /^SETTING_INVALID: --host: "Igor!" must be a host name/],
    [['--log-level', 'loud'], /^SETTING_INVALID: --log-level: "loud" must be one of trace, debug/],
    [['--bind', 'nowhere'], /^SETTING_INVALID: --bind: "nowhere" must be an address such as tcp:\/\/127\.0\.0\.1:40410/],
    [['--bind', 'tcp://127.0.0.1:99999'], /^SETTING_INVALID: --bind: .* must have a port up to 65535/],
    [['--bind', 'tcp://192.0.2.1:40410'], /^CANNOT_START: cannot listen on tcp:\/\/192\.0\.2\.1:40410 \(EADDRNOTAVAIL\); choose another address with --bind/],
  ])('%j', async (args, expected) => {
    await using home = new Home();
    expect(await refusedUp(home, ...anyPort, ...args)).toMatch(expected);
  });

  it('as a variable', async () => {
    await using home = new Home();
    expect(refusalOf(await home.runWith({ env: { DOMUS_HOST: 'Igor!' } }, 'up'))).toMatch(/^SETTING_INVALID: DOMUS_HOST: "Igor!" must be a host name/);
  });
});

describe('a database', () => {
  it('that a newer version wrote', async () => {
    await using home = new Home();
    {
      await using _house = await home.up();
    }
    const database = new DatabaseSync(join(home.folder, 'db', 'majordomus.sqlite'));
    database.exec('PRAGMA user_version = 9999');
    database.close();
    expect(await refusedUp(home, ...anyPort)).toMatch(/^DATABASE_TOO_NEW: .*majordomus\.sqlite.*newer/);
  });
});

describe('a home on which a house runs', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('takes no second one, and the first goes on', async () => {
    const pids = await house.pids();
    expect(refusalOf(await home.run('up', ...anyPort))).toMatch(/^HOME_IN_USE: .* runs on .*; stop it/);
    expect(await house.pids()).toEqual(pids);
    expect(await home.tell('status')).toMatch(/^manager +running/m);
  });

  it('takes none when its folder run was deleted, either', async () => {
    rmSync(join(home.folder, 'run'), { recursive: true });
    expect(refusalOf(await home.run('up', ...anyPort))).toMatch(/^HOME_IN_USE: another house runs on .*; stop it/);
    // Who looks is told of the house, which is not seen but is there.
    expect(refusalOf(await home.run('status'))).toMatch(/^NOT_CONNECTED: a house runs on .*; it may be starting or stopping: .*if that folder was deleted under it, end it .*domus up --home/);
    expect((await home.run('doctor')).stdout).toMatch(/^problem +lock +a house runs on /m);
  });
});

it('a home whose lock file was deleted under its house, which goes on', async () => {
  await using home = new Home();
  await using house = await home.up();
  const pids = await house.pids();
  rmSync(join(home.folder, '.house.lock'));
  expect(refusalOf(await home.run('up', ...anyPort))).toMatch(/^HOME_IN_USE: another house \(process \d+\) runs .* its lock file is gone; stop it/);
  expect(await house.pids()).toEqual(pids);
  expect(await home.tell('status')).toMatch(/^manager +running/m);
});
