// `domus config edit` with a scripted editor, as a person uses it: what is saved is set as a whole or not at all, and nothing
// that was typed is lost.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configDelete, configGet, configSet, schemaSet, type JsonValue } from '@majordomus/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { domusScript, type Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { down, enter, isWithout, Terminal } from './terminal.ts';

describe('config edit', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ args: ['--host', 'igor'] });
    await house.client.call(schemaSet, {
      plugin: 'velbus', version: '1.0.0', items: {
        port: { type: 'integer', description: 'Where it listens', default: 6000, min: 1, max: 65_535 },
        protocol: { type: 'string', description: 'How it speaks', default: 'tcp', options: ['tcp', 'serial'] },
        token: { type: 'string', description: 'What it is let in by', example: 'abc', secret: true },
      },
    });
  });
  afterAll(() => home[Symbol.asyncDispose]());
  beforeEach(async () => {
    await house.client.call(configDelete, { host: 'igor', plugin: 'velbus' });
    await house.client.call(configSet, { host: 'igor', plugin: 'velbus', key: 'port', value: 7000 });
  });

  /** A script for the shell that edits the file `$1`; gives the environment in which it is the editor. */
  function editor(script: string, variable = 'EDITOR'): Readonly<Record<string, string>> {
    const file = join(home.newFolder('editors'), 'editor.sh');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return { EDITOR: 'false', [variable]: variable === 'VISUAL' ? `${file} --wait` : file };
  }

  const edit = async (script: string, ...args: readonly string[]): Promise<Ran> => await home.runWith({ env: editor(script) }, 'config', 'edit', ...args);

  async function values(): Promise<Readonly<Record<string, JsonValue>>> {
    const reply = await house.client.call(configGet, { host: 'igor', plugin: 'velbus', reveal: true });
    return 'data' in reply ? Object.fromEntries(Object.entries(reply.data).filter(([key]) => !reply.defaults.includes(key))) : {};
  }

  /** The file that the message names, with what was typed. */
  function kept({ stderr }: Ran): string {
    const file = /^what you wrote is in (\S+); go on with: \.\/domus config edit velbus --from \1$/m.exec(stderr)?.[1];
    return file ?? expect.unreachable(`no file is named in: ${stderr}`);
  }

  it('sets what was changed, and forgets what was taken away', async () => {
    const { code, stderr } = await edit('sed -i -e "/^port/d" -e "s/^#protocol = .*/protocol = \\"serial\\"/" "$1"', 'velbus');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'velbus on igor: protocol is serial\nvelbus on igor: port is forgotten, so 6000\n' });
    expect(await values()).toEqual({ protocol: 'serial' });
  });

  it('does nothing without a change, and leaves no file', async () => {
    const seen = join(home.root, 'seen');
    expect(await edit(`cp "$1" ${seen}; echo "$1" > ${seen}.path`, 'velbus')).toMatchObject({ code: 0, stdout: '', stderr: 'velbus on igor: nothing was changed\n' });
    expect(readFileSync(seen, 'utf8')).toMatch(/^# Where it listens\n# whole number, 1 to 65535, default 6000\nport = 7000$/m);
    expect(existsSync(readFileSync(`${seen}.path`, 'utf8').trim())).toBe(false);
  });

  it('takes $VISUAL before $EDITOR, with its arguments', async () => {
    const env = editor('test "$1" = --wait && sed -i "s/^port = .*/port = 7001/" "$2"', 'VISUAL');
    expect(await home.runWith({ env }, 'config', 'edit', 'velbus')).toMatchObject({ code: 0, stderr: 'velbus on igor: port is 7001\n' });
  });

  it('sets nothing if one value is wrong, says each reason, and goes on with what was typed', async () => {
    const wrong = await edit('sed -i -e "s/^port = .*/port = 70000/" -e "s/^#protocol = .*/protocol = \\"usb\\"/" "$1"', 'velbus');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('CONFIG_INVALID: velbus on igor: port: must be at most 65535, not 70000; protocol: must be one of "tcp", "serial"; nothing was changed\n');
    expect(await values()).toEqual({ port: 7000 });
    const file = kept(wrong);
    expect(readFileSync(file, 'utf8')).toMatch(/^#! Nothing was set; wrong is:\n#! {3}port: must be at most 65535/);
    const right = await edit('sed -i -e "s/^port = .*/port = 7002/" -e "s/usb/serial/" "$1"', 'velbus', '--from', file);
    expect(right.code).toBe(0);
    expect(await values()).toEqual({ port: 7002, protocol: 'serial' });
    expect(existsSync(dirname(file))).toBe(false);
  });

  it('leaves what was typed in one file, says that a secret in it is in clear, and takes a file of the person’s own as it is', async () => {
    const wrong = await edit('sed -i -e "s/^port = .*/port = 0/" -e "s/^#token = .*/token = \\"hunter2\\"/" "$1"', 'velbus');
    const file = kept(wrong);
    expect(wrong.stderr).toContain(`it holds what you typed as it is, secrets too; if you do not go on, delete it: rm -r ${dirname(file)}\n`);
    const again = await edit('sed -i "s/^port = .*/port = -1/" "$1"', 'velbus', '--from', file);
    expect(kept(again)).toBe(file);
    const own = join(home.root, 'velbus.toml');
    writeFileSync(own, 'port = 7006\n');
    expect((await edit('true', 'velbus', '--from', own)).stderr).toContain(`${own} is not needed any more; it holds what was typed, secrets too: delete it\n`);
    expect(existsSync(own)).toBe(true);
    rmSync(dirname(file), { recursive: true });
  });

  it('says where a text is no TOML', async () => {
    const wrong = await edit('sed -i "s/^port = .*/port = = 1/" "$1"', 'velbus');
    expect(wrong.stderr).toMatch(/^CONFIG_INVALID: velbus on igor: line 6, column 8: .*; nothing was changed$/m);
    rmSync(dirname(kept(wrong)), { recursive: true });
  });

  it('does not overwrite what somebody else set meanwhile', async () => {
    const meanwhile = `'${domusScript}' --home '${home.folder}' config set velbus port 7100`;
    const wrong = await edit(`${meanwhile}; sed -i "s/^port = .*/port = 7003/" "$1"`, 'velbus');
    expect(wrong.stderr).toMatch(/^CONFIG_INVALID: velbus on igor: port: was changed by somebody else meanwhile: 7000 before, 7100 now; nothing was changed$/m);
    expect(await values()).toEqual({ port: 7100 });
    rmSync(dirname(kept(wrong)), { recursive: true });
  });

  it('leaves and names what somebody else set beside it', async () => {
    const meanwhile = `'${domusScript}' --home '${home.folder}' config set velbus protocol serial`;
    expect((await edit(`${meanwhile}; sed -i "s/^port = .*/port = 7004/" "$1"`, 'velbus')).stderr).toContain('protocol was changed by somebody else meanwhile, and stays as it is now: serial\n');
    expect(await values()).toEqual({ port: 7004, protocol: 'serial' });
  });

  it('never shows a secret, and keeps it', async () => {
    await house.client.call(configSet, { host: 'igor', plugin: 'velbus', key: 'token', value: 'hunter2' });
    const seen = join(home.root, 'seen');
    const { stderr } = await edit(`cp "$1" ${seen}; sed -i "s/^port = .*/port = 7005/" "$1"`, 'velbus');
    expect(readFileSync(seen, 'utf8') + stderr).not.toContain('hunter2');
    expect(await values()).toEqual({ port: 7005, token: 'hunter2' });
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['an editor that fails', ['velbus'], 'exit 3', /^EDITOR_FAILED: the editor \(.*\) ended with exit code 3; nothing was changed$/],
    ['an editor that takes the file away', ['velbus'], 'rm "$1"', /^EDITOR_FAILED: cannot read \/\S+ after the editor \(no such file or directory \(ENOENT\)\); nothing was changed$/],
    ['an editor that makes it a folder', ['velbus'], 'rm "$1"; mkdir "$1"', /^EDITOR_FAILED: cannot read .* \(EISDIR\); nothing was changed$|^EDITOR_FAILED: cannot read .*EISDIR/],
    ['no plugin, where nobody can be asked', [], 'true', /^BAD_REQUEST: which plugin\? There are velbus; for example: \.\/domus config edit velbus$/],
    ['a file that is not there', ['velbus', '--from', '/nowhere/velbus.toml'], 'true', /^SOURCE_NOT_FOUND: cannot read \/nowhere\/velbus\.toml \(no such file or directory \(ENOENT\)\)/],
    ['a name that was mistyped', ['velbs'], 'true', /^PLUGIN_NOT_FOUND: no plugin velbs is installed on igor, and nothing is configured for it; did you mean velbus\?$/],
    ['a name that is none', ['Vel bus'], 'true', /^INVALID_DATA: plugin: must be a name/],
  ])('says what is wrong with %s', async (_what, args, script, expected) => {
    const { code, stdout, stderr } = await edit(script, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd()).toMatch(expected);
  });

  it.skipIf(isWithout('script'))('opens the editor again in a terminal, with what is wrong in the text', async () => {
    const count = join(home.root, 'count');
    const env = editor(`if test -e ${count}; then sed -i "s/^port = .*/port = 7006/" "$1"; else sed -i "s/^port = .*/port = 0/" "$1"; fi; touch ${count}`);
    const terminal = new Terminal(`exec '${domusScript}' --home '${home.folder}' config edit velbus`, { env });
    await terminal.typedAfter('what next?', `${down}${down}${enter}`);
    const { code, text } = await terminal.ended();
    expect(text).toMatch(/port: must be at least 1, not 0/);
    expect(text).toMatch(/velbus on igor: port is 7006\n$/);
    expect(code).toBe(0);
  });
});
