// `domus logs`: several logs as one, over everything that may happen to a house meanwhile.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, startProgram, type Started } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { isWithout, Terminal } from './terminal.ts';
import { command, writeKitPlugin } from './test-plugins.ts';
import { untilTrue } from './waiting.ts';

const speaker = {
  commands: { say: { ...command, parameters: { text: { type: 'string', description: 'What is said', example: 'hello', required: true } } } },
  definition: '{ helpers: { say: ({ parameters, log }) => { log.warn(parameters.text); return null; } } }',
} as const;

async function shows(started: Started, text: string): Promise<void> {
  await untilTrue(`it shows ${text}`, () => (started.stdout() + started.stderr()).includes(text), { describe: () => started.stdout() + started.stderr() });
}

describe('logs', () => {
  const home = new Home();
  let house: House;
  const say = async (text: string): Promise<string> => await home.tell('call', house.service('speaker'), 'helper.do', 'command=say', `text=${text}`);
  beforeAll(async () => {
    house = await home.up({ plugins: true, args: ['--host', 'igor'] });
    await home.tell('plugin', 'install', writeKitPlugin(home, 'speaker', speaker));
    await say('first');
    // It is answered before its line has come to the log.
    await untilTrue('it is logged', async () => (await home.tell('logs', 'speaker')).includes('first'));
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it('are all of them in the order of time, each line with whose it is', async () => {
    const lines = (await home.tell('logs', '-n', '1000')).trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^(house|broker|dbmanager|packagemanager|manager|diskfree|speaker) +\| /);
    const times = lines.flatMap((line) => /\[(.*?)\]/.exec(line)?.[1] ?? []);
    expect(times.length).toBeGreaterThan(5);
    expect(times.toSorted()).toEqual(times);
  });

  it('are those that are named, the last ones, the severe ones', async () => {
    expect(await home.tell('logs', 'speaker', '-n', '1')).toMatch(/^\[.*\] WARN: first\n$/);
    // The broker may have dropped something, on a busy machine: it says so, as severely.
    const severe = await home.tell('logs', 'broker', 'speaker', '--level', 'warn');
    expect(severe).toMatch(/^speaker \| \[.*\] WARN: first$/m);
    expect(severe).not.toContain('] INFO: ');
    expect(await home.tell('logs', 'igor.speaker', '-n', '1')).toMatch(/WARN: first\n$/);
  });

  it('are a JSON object a line', async () => {
    expect(JSON.parse(await home.tell('logs', 'speaker', '-n', '1', '--json'))).toEqual({ name: 'speaker', time: expect.stringMatching(/^\d{4}-/), level: 'warn', text: expect.stringContaining('first') });
  });

  it.each([
    [['brokr'], /^LOG_UNKNOWN: nothing that is called brokr has a log here; did you mean broker\?\n$/],
    [['igor.velbus'], /^PLUGIN_NOT_FOUND: /],
    [['-n', 'x'], /It must be a whole number from 0 to 1000/],
    [['--level', 'loud'], /Allowed choices are trace, debug, info, warn, error, fatal/],
  ])('of %j are none', async (args, expected) => {
    const { code, stderr } = await home.run('logs', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(expected);
  });

  it.each([['logs', '-f', '-n', '1', 'speaker'], ['plugin', 'log', 'speaker', '-f', '-n', '1']])('%s … ends when nobody reads any more, though nothing more is said', async (...args) => {
    const { stdout, stderr } = await startProgram('/bin/bash', ['-c', '"$0" "$@" | head -n 1; echo "exit codes ${PIPESTATUS[*]}" >&2', domusScript, '--home', home.folder, ...args]).ended;
    expect(stdout).toMatch(/WARN: first\n$/);
    expect(stderr).toBe('exit codes 0 0\n');
  });

  it.skipIf(isWithout('script'))('has a colour for each name in a terminal, unless it is told not to', async () => {
    const shown = async (env: Readonly<Record<string, string>>): Promise<string> => (await new Terminal(`exec '${domusScript}' --home '${home.folder}' logs broker speaker`, { env }).ended()).stdout;
    const coloured = await shown({});
    expect(coloured).toContain('\u001B[36mbroker  |\u001B[39m');
    expect(coloured).toContain('\u001B[33mspeaker |\u001B[39m');
    expect(await shown({ NO_COLOR: '1' })).not.toContain('\u001B[3');
  });

  it('of one plugin are shown by plugin log with the same options', async () => {
    expect(await home.tell('plugin', 'log', 'speaker', '--level', 'warn')).toMatch(/^\[.*\] WARN: first\n$/);
    expect(await home.tell('plugin', 'log', 'igor.speaker', '-n', '1', '--json')).toBe(await home.tell('logs', 'speaker', '-n', '1', '--json'));
    expect((await home.run('plugin', 'log', 'broker')).stderr).toMatch(/^PLUGIN_NOT_FOUND: no plugin broker is installed on igor/);
  });

  it.each([
    ['logs', ['logs', 'broker', 'speaker']],
    ['plugin log --json', ['plugin', 'log', 'speaker', '--json']],
  ])('go on over kills and a restart of the house, without a line twice, by %s', async (_name, [command = '', ...args]) => {
    const following = startProgram(domusScript, ['--home', home.folder, command, ...args, '-f', '-n', '0']);
    try {
      // What is said is heard only once it listens: that is said again until it is.
      await untilTrue('it follows', async () => {
        await say('begin');
        return following.stdout().includes('begin');
      });
      await house.kill('manager');
      await house.untilWhole();
      await say('after-a-kill');
      await shows(following, 'after-a-kill');
      await house.stop();
      await shows(following, 'the house does not answer; waiting for it');
      house = await home.up({ plugins: true, args: ['--host', 'igor'] });
      await shows(following, 'the house is there');
      await say('after-a-restart');
      await shows(following, 'after-a-restart');
    } finally {
      following.child.kill('SIGINT');
    }
    const { stdout, signal } = await following.ended;
    expect(signal).toBe('SIGINT');
    const lines = stdout.split('\n').filter((line) => line !== '');
    expect(new Set(lines).size).toBe(lines.length);
    if (args.includes('broker')) expect(stdout.match(/listening/g)).toHaveLength(1);
    if (args.includes('--json')) for (const line of lines) expect(JSON.parse(line)).toMatchObject({ name: 'speaker' });
    for (const text of ['after-a-kill', 'after-a-restart']) expect(stdout.match(new RegExp(text, 'g'))).toHaveLength(1);
  });
});

it('are read from the files while no house runs, and followed once one does', async () => {
  await using home = new Home();
  {
    await using _house = await home.up({ args: ['--host', 'igor'] });
  }
  expect(await home.tell('logs')).toMatch(/^broker +\| \[.*\] INFO: listening .*$[\s\S]*^broker +\| \[.*\] INFO: stopping/m);
  const following = startProgram(domusScript, ['--home', home.folder, 'logs', '-f', '-n', '1', 'broker']);
  try {
    await shows(following, `no house runs on ${home.folder}; waiting for one`);
    await home.up({ args: ['--host', 'igor'] });
    await shows(following, 'INFO: listening');
  } finally {
    following.child.kill('SIGINT');
  }
  expect((await following.ended).stdout.trimEnd().split('\n').map((line) => /INFO: \w+/.exec(line)?.[0])).toEqual(['INFO: stopping', 'INFO: listening']);
});
