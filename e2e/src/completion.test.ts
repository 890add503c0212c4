// What a shell is offered when somebody presses Tab: by the question that the scripts ask, and in real shells.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { schemaSet } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, runDomus, type Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { isWithout, Terminal } from './terminal.ts';

/** Any other command waits 10 s for a broker that does not answer; this is the start of Node on a very busy machine, and 300 ms. */
const silenceLimitMs = 8000;

/** The tests are about what is offered; how long a person waits is another matter on a busy machine. */
const patient = { DOMUS_COMPLETION_MS: '15000' } as const;

async function completed(home: Home, ...words: readonly string[]): Promise<Ran> {
  return await runDomus(['complete', '--', ...words], { env: { DOMUS_HOME: home.folder, ...patient } });
}

describe('with a house', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true, args: ['--host', 'igor'] });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it.each([
    ['logs broker ', /^broker\trunning$[\s\S]*^diskfree\trunning$/m],
    ['call igor.d', /^igor\.diskfree\tplugin$/],
    ['call igor.diskfree helper.do command=', /^command=list\ncommand=check$/],
    ['call igor.diskfree helper.do command=check ', /^path=\t.+\nlimit=\t/],
    ['call manager plugin.status id=', /^id=diskfree\trunning$/],
    ['call dbmanager config.set host=igor plugin=diskfree key=', /^key=limit\t/],
    ['config set diskfree ', /^limit\t/],
    ['config set diskfree limit ', /^90\tdefault$/],
    ['--host ', /^igor$/],
    ['plugin start no', /^$/],
  ])('"domus %s" is completed', async (line, expected) => {
    const { code, stdout, stderr } = await completed(home, ...line.split(' '));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd()).toMatch(expected);
  });

  it('asks the house that the line names', async () => {
    await using other = new Home();
    expect((await completed(other, '--home', home.folder, 'plugin', 'start', '')).stdout).toBe('diskfree\trunning\n');
    expect((await completed(other, '--broker', house.endpoint, '--host', 'igor', 'plugin', 'start', '')).stdout).toBe('diskfree\trunning\n');
  });

  it('offers nothing that a shell would take for more than a word', async () => {
    await house.client.call(schemaSet, { plugin: 'velbus', version: '1.0.0', items: { mode: { type: 'string', description: 'a\ttab\nand \u001B[31mred', example: 'fine', options: ['$(reboot)', 'a b', "'", 'fine'] } } });
    expect((await completed(home, 'config', 'set', 'velbus', 'mode', '')).stdout).toBe('fine\n');
    expect((await completed(home, 'config', 'set', 'velbus', 'm')).stdout).toBe('mode\ta tab and [31mred\n');
  });

  describe.each([
    ['bash', 'bash --norc --noprofile -i', ''],
    ['zsh', 'zsh -f -i', 'autoload -U compinit; compinit -D -u\n'],
    ['fish', 'fish --no-config -i', ''],
  ])('in a real %s', (shell, command, before) => {
    it.skipIf(isWithout('script', shell))('Tab completes services with their dots, actions, and words with "="', async () => {
      const script = join(home.root, `completion.${shell}`);
      writeFileSync(script, await home.tell('completion', shell));
      const terminal = new Terminal(command, { cwd: dirname(domusScript), env: { DOMUS_HOME: home.folder, HOME: home.root, ...patient } });
      await terminal.typedAfter('', `${before}source ${script}\n./domus call igor.disk\thelper.d\tcomm\tli\t\n./domus call igor.disk\thelper.l\t\nexit\n`);
      const { text, stderr } = await terminal.ended();
      expect(stderr).toBe('');
      expect(text).toMatch(/"command": "list"/);
      expect(text).toMatch(/"mountPoint": "\/"/);
      expect(text).toMatch(/"actions": \[/);
    });
  });
});

describe('without a house', () => {
  it('completes what needs none, and says nothing of it', async () => {
    await using home = new Home();
    expect(await completed(home, 'plugin', 'start', '')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await completed(home, 'logs', 'bro')).toMatchObject({ code: 0, stdout: 'broker\n', stderr: '' });
  });

  it('is silent soon where a broker is named that does not answer, and where a setting is wrong', async () => {
    await using home = new Home();
    const startedMs = performance.now();
    expect(await runDomus(['complete', '--', '--broker', 'tcp://127.0.0.1:1', 'plugin', 'start', ''])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(performance.now() - startedMs).toBeLessThan(silenceLimitMs);
    expect(await completed(home, '--broker', 'nonsense', 'plugin', 'start', '')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    writeFileSync(join(home.newFolder('home'), 'majordomus.toml'), 'bind = = 1\n');
    expect(await completed(home, 'plugin', 'start', '')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
