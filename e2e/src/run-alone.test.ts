// One part alone: `domus run PART`, in another terminal or under a debugger.
import { expect, it } from 'vitest';
import { configSet, helperDo } from '@majordomus/contracts';
import { Client } from '@majordomus/mq';
import { domusScript, runDomus, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import { until, untilTrue } from './waiting.ts';

const checkout = domusScript.replace(/\/domus$/, '');

/** A part that runs until it is told to stop. */
function runPart(home: Home, part: string, ...args: readonly string[]): Started & AsyncDisposable {
  const started = startProgram(domusScript, ['run', part, '--home', home.folder, '--host', 'igor', ...args], { cwd: checkout });
  return {
    ...started,
    async [Symbol.asyncDispose]() {
      started.child.kill('SIGINT');
      expect(await started.ended).toMatchObject({ code: 0 });
    },
  };
}

it('a broker, a dbmanager and a plugin, each alone, are a house that answers', async () => {
  await using home = new Home();
  await using broker = runPart(home, 'broker', '--bind', 'tcp://127.0.0.1:*');
  const endpoint = await until('the broker says where it listens', () => /"endpoint":"(tcp:[^"]+)"/.exec(broker.stdout())?.[1], { describe: () => broker.stderr() });
  await using _dbmanager = runPart(home, 'dbmanager', '--broker', endpoint);
  await using client = new Client({ endpoint });
  await untilTrue('dbmanager is on the bus', async () => (await client.manage('mmi.service', 'dbmanager')) === '200');
  await client.call(configSet, { host: 'igor', plugin: 'diskfree', key: 'limit', value: 100 });
  const { code, stdout } = await runDomus(['call', 'dbmanager', 'config.list', '--broker', endpoint]);
  expect({ code, data: JSON.parse(stdout) as unknown }).toMatchObject({ code: 0, data: { configurations: [{ host: 'igor', plugin: 'diskfree', keys: 1 }] } });

  await using diskfree = runPart(home, 'plugins/diskfree', '--broker', endpoint);
  await untilTrue('diskfree is ready', () => diskfree.stdout().includes('"msg":"ready"'));
  const reply = await client.call(helperDo, { command: 'check', parameters: { path: '/' } }, { service: 'igor.diskfree' });
  expect(reply.result).toMatchObject({ limit: 100, ok: true });
});

it.each([
  ['brokr', /^domus: there is no part brokr; did you mean broker\?$/],
  ['plugins/diskfre', /^domus: there is no part plugins\/diskfre; did you mean plugins\/diskfree\?$/],
  ['diskfree', /^domus: there is no part diskfree; did you mean plugins\/diskfree\?$/],
  ['velbus-simulatr', /^domus: there is no part velbus-simulatr; did you mean velbus-simulator\?$/],
  ['nothing-like-it', /^domus: there is no part nothing-like-it; parts: broker, dbmanager, packagemanager, manager; programs of plugins: .*velbus-simulator.*; or the folder of a plugin or an app$/],
])('%s is no part', async (part, expected) => {
  const { code, stdout, stderr } = await runDomus(['run', part], { cwd: checkout });
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  expect(stderr.trimEnd()).toMatch(expected);
});

it('without a name it says what can be run', async () => {
  const { code, stdout, stderr } = await runDomus(['run']);
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  expect(stderr).toMatch(/^domus: run needs the name of what is to run; parts: broker, .*; programs of plugins: .*velbus-simulator.*; or the folder of a plugin or an app\n$/);
});

it('a flag that a part does not know ends it with one line', async () => {
  const { code, stdout, stderr } = await runDomus(['run', 'broker', '--bnid', 'tcp://127.0.0.1:*']);
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  expect(stderr).toMatch(/^broker: SETTING_INVALID: Unknown option '--bnid'; known flags: .*--bind.*\n$/);
});

it('a second dbmanager on one home is refused', async () => {
  await using home = new Home();
  await using house = await home.up();
  const { code, stderr } = await runDomus(['run', 'dbmanager', '--home', home.folder, '--broker', house.endpoint]);
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringMatching(/^dbmanager: HOME_IN_USE: another dbmanager runs on .*; stop it/) });
});

it('a plugin that the house runs is not run a second time', async () => {
  await using home = new Home();
  await using house = await home.up();
  await home.tell('plugin', 'install', 'diskfree');
  const id = house.service('diskfree');
  const { pid } = await house.plugin('diskfree');
  const { code, stdout, stderr } = await runDomus(['run', 'plugins/diskfree', '--home', home.folder, '--broker', house.endpoint, '--host', id.replace(/\..*/, '')], { cwd: checkout });
  expect({ code, stdout, stderr }).toEqual({ code: 78, stdout: '', stderr: `domus: ${id} runs already (pid ${pid}); stop it first: ./domus plugin stop ${id}\n` });
});
