// Secrets of plugins: given to the plugin in clear, and to nobody else who did not ask; in no file and no log of the house
// (docs/operating.md, "Secrets").
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { helperDo, maskedSecret } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { command, writeKitPlugin } from './test-plugins.ts';

const password = 'correct horse battery staple';
const items = {
  password: { type: 'string', description: 'What it is let in by', example: 'abcdef', secret: true, required: true, min: 6 },
  door: { type: 'string', description: 'Which door', default: 'front' },
  pin: { type: 'integer', description: 'What it is shut by', example: 1234, secret: true },
} as const;

describe('a secret', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ args: ['--host', 'igor', '--log-level', 'trace'] });
    const definition = '{ helpers: { length: ({ configuration }) => configuration.password.length } }';
    await home.tell('plugin', 'install', writeKitPlugin(home, 'vault', { configuration: items, commands: { length: command }, definition }));
    await home.tell('plugin', 'start', 'vault');
  });
  afterAll(() => home[Symbol.asyncDispose]());

  /** The files of the home that hold a text. */
  const filesWith = (text: string): string[] => readdirSync(home.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map(({ name }) => name);
  const keyFile = join(home.folder, 'keys', 'secrets.key');

  it('that is refused is not quoted, neither to who set it nor in any log', async () => {
    const { code, stderr } = await home.run('config', 'set', 'vault', 'password', 'abc');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'CONFIG_INVALID: vault on igor: password: length must be at least 6; nothing was changed\n' });
  });

  it('that is set comes to the plugin, and nobody else sees it', async () => {
    expect(await home.run('config', 'set', 'vault', 'password', password)).toMatchObject({ code: 0, stdout: '', stderr: 'vault on igor: password is set (secret)\n' });
    await house.untilPlugin('vault', ({ state }) => state === 'running');
    expect(await house.client.call(helperDo, { command: 'length', parameters: {} }, { service: 'igor.vault' })).toMatchObject({ result: password.length });
    const { stdout, stderr } = await home.run('config', 'get', 'vault');
    expect(stdout).toMatch(new RegExp(`^door +front +default\\npassword +${maskedSecret} +set\\n$`, 'm'));
    expect(stderr).toBe('secret, and shown with --reveal: password\n');
    expect(await home.tell('config', 'history', 'vault')).toContain(maskedSecret);
    expect(await home.tell('plugin', 'status', 'vault')).not.toContain(password);
    expect(await home.tell('config', 'get', 'vault', 'password', '--reveal')).toBe(`${password}\n`);
    expect(await home.tell('config', 'history', 'vault', '--reveal')).toContain('correct horse');
    const logged = (await home.tell('logs', 'dbmanager', '-n', '200')).split('\n').filter((line) => line.includes('gave secrets in clear'));
    expect(logged).toEqual(expect.arrayContaining([
      expect.stringMatching(/config\.get .*"keys":\["password"\],"by":"igor\.vault"/),
      expect.stringMatching(/config\.get .*"keys":\["password"\],"by":"\S+@\S+"/),
      expect.stringMatching(/config\.history .*"keys":\["password"\],"by":"\S+@\S+"/),
    ]));
    expect(filesWith(password)).toEqual([]);
    expect(house.output).not.toContain(password);
  });

  it('whose key is lost keeps its plugin from starting, and says why; with the key it starts by itself', async () => {
    renameSync(keyFile, `${keyFile}.away`);
    await home.run('plugin', 'restart', 'vault');
    const { reason } = await house.untilPlugin('vault', ({ state }) => state === 'not-ready');
    expect(reason).toBe(`waits for its configuration: vault on igor: the secret password cannot be decrypted: the key ${keyFile} is not there: put it back from a backup; or set it again: domus config set vault password VALUE`);
    const { stdout, stderr } = await home.run('config', 'get', 'vault');
    expect(stdout).toMatch(/^door +front/m);
    expect(stderr).toContain('vault on igor: cannot be decrypted: password; put keys/secrets.key of the home back from a backup');
    renameSync(`${keyFile}.away`, keyFile);
    await house.untilPlugin('vault', ({ state }) => state === 'running');
  });

  it('that cannot be read leaves the others to be shown, and is named', async () => {
    renameSync(keyFile, `${keyFile}.away`);
    await home.tell('config', 'set', 'vault', 'pin', '2580');
    const { code, stdout, stderr } = await home.run('config', 'get', 'vault', '--reveal');
    expect(stdout).toMatch(new RegExp(`^door +front +default\npassword +${maskedSecret} +set\npin +2580 +set\n$`, 'm'));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^SECRET_UNREADABLE: vault on igor: the secret password cannot be decrypted: .*\n$/) });
    expect(JSON.parse((await home.run('config', 'get', 'vault', '--reveal', '--json')).stdout)).toMatchObject({ pin: 2580 });
    expect(await home.tell('status')).toMatch(/notice 1, .*: put the key of the secrets back, or set them again .*: 1 cannot be decrypted \(password of vault on igor\)/);
    await home.tell('config', 'delete', 'vault', 'pin');
    renameSync(`${keyFile}.away`, keyFile);
    await house.untilPlugin('vault', ({ state }) => state === 'running');
  });

  it('that was set by mistake is taken back by a revert', async () => {
    await home.tell('config', 'set', 'vault', 'password', 'another one');
    const [, before] = JSON.parse(await home.tell('config', 'history', 'vault', 'password', '--json')).changes as { change: number }[];
    const { code, stderr } = await home.run('config', 'revert', 'vault', 'password', '--to', String(before?.change));
    expect({ code, stderr }).toEqual({ code: 0, stderr: `vault on igor: password is set (secret), as it was after change ${before?.change}\n` });
    expect(await home.tell('config', 'get', 'vault', 'password', '--reveal')).toBe(`${password}\n`);
  });

  it.each([
    [['valt'], 'valt', '; did you mean vault?'],
    [['vault', 'pasword'], 'pasword of vault', '; did you mean password?'],
    [['nothing'], 'nothing', ''],
  ])('a revert of what was never set says so: %j', async (args, what, meant) => {
    expect(await home.run('config', 'revert', ...args, '--to', '1')).toMatchObject({ code: 1, stdout: '', stderr: `HISTORY_NOT_FOUND: no change of ${what} on igor is known, and nothing was changed${meant}\n` });
    expect((await home.run('config', 'history', ...args)).stderr).toBe(`no change of ${what} on igor is known${meant}\n`);
  });
});
