// The data of `domus call`: words, one JSON object, or answers to questions in a real terminal.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domusScript, type Ran } from './domus.ts';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { down, enter, isWithout, Terminal } from './terminal.ts';
import { command, writeKitPlugin, writeShellPlugin } from './test-plugins.ts';

describe('call', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    house = await home.up({ args: ['--host', 'igor'] });
    const folder = writeKitPlugin(home, 'lamp', {
      commands: {
        dim: {
          description: 'Dims it',
          parameters: {
            level: { type: 'integer', description: 'How bright', example: 50, required: true, min: 0, max: 100 },
            room: { type: 'string', description: 'Where', example: 'hall', options: ['hall', 'attic'] },
          },
        },
        off: command,
      },
      definition: '{ helpers: { dim: ({ parameters }) => ({ dimmed: parameters }), off: () => "off" } }',
    });
    await home.tell('plugin', 'install', folder);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  describe.concurrent('with words', () => {
    const told = async (...args: readonly string[]): Promise<object> => JSON.parse(await home.tell('call', ...args)) as object;

    it('types them by the contract', async () => {
      await told('dbmanager', 'config.set', 'host=igor', 'plugin=velbus', 'key=port', 'value=6000');
      await told('dbmanager', 'config.set', 'host=igor', 'plugin=velbus', 'key=3', 'value=usb');
      expect(await told('dbmanager', 'config.get', 'host=igor', 'plugin=velbus')).toMatchObject({ data: { port: 6000, 3: 'usb' } });
      expect(await told('dbmanager', 'config.set', 'host=igor', 'plugin=velbus', 'data={"a": 1}', 'forget=["port"]')).toMatchObject({ status: true });
      expect(await told('dbmanager', 'config.get', 'host=igor', 'plugin=velbus')).toMatchObject({ data: { a: 1, 3: 'usb' } });
    });

    it('types the parameters of a command as its plugin wants them', async () => {
      expect(await told('igor.lamp', 'helper.do', 'command=dim', 'level=30', 'room=hall')).toMatchObject({ parameters: { level: 30, room: 'hall' }, result: { dimmed: { level: 30, room: 'hall' } } });
      expect(await told('igor.lamp', 'helper.do', 'command=off')).toMatchObject({ result: 'off' });
    });

    it('takes one JSON object as before', async () => {
      expect(await told('igor.lamp', 'helper.do', '{"command": "dim", "parameters": {"level": 1}}')).toMatchObject({ result: { dimmed: { level: 1 } } });
    });
  });

  describe.concurrent('that lacks what is needed, where nobody can be asked', () => {
    it.each<[string, readonly string[], RegExp]>([
      ['all of it', ['dbmanager', 'config.get'], /^BAD_REQUEST: config\.get at dbmanager needs host, plugin\n {2}FIELD +TYPE +WHAT\n {2}host +text +the host\n[\s\S]*\nfor example: \.\/domus call dbmanager config\.get host=igor plugin=diskfree$/],
      ['some of it', ['dbmanager', 'config.get', 'host=igor'], /^BAD_REQUEST: config\.get at dbmanager needs plugin\n/],
      ['the command of a plugin', ['igor.lamp', 'helper.do'], /^BAD_REQUEST: helper\.do at igor\.lamp needs a command: dim, off\nfor example: \.\/domus call igor\.lamp helper\.do command=dim$/],
      ['a parameter', ['igor.lamp', 'helper.do', 'command=dim'], /^PARAMETERS_INVALID: level: is required$/],
      ['a field that there is', ['dbmanager', 'config.list', 'hots=igor'], /^BAD_REQUEST: config\.list at dbmanager has no field hots; fields: none$/],
      ['the right name of a field', ['manager', 'plugin.status', 'iid=lamp'], /^BAD_REQUEST: plugin\.status at manager has no field iid; did you mean id\?$/],
      ['a name before the value', ['dbmanager', 'config.get', 'host=igor', 'velbus'], /^BAD_REQUEST: velbus is no data; write name=value/],
    ])('is told so: %s', async (_what, args, expected) => {
      const { code, stdout, stderr } = await home.run('call', ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.trimEnd()).toMatch(expected);
    });
  });

  describe.skipIf(isWithout('script'))('in a terminal', () => {
    const ask = (...args: readonly string[]): Terminal => new Terminal(`exec '${domusScript}' --home '${home.folder}' call ${args.join(' ')}`);

    it('asks for each field, does not take what is wrong, and says how to do it without questions', async () => {
      const terminal = ask('dbmanager', 'config.get');
      await terminal.typedAfter('host: the host', enter);
      await terminal.typedAfter('plugin: the plugin', `Lamp${enter}`);
      await terminal.typedAfter('must be a name', `${'\u007F'.repeat(4)}lamp${enter}`);
      await terminal.typedAfter('key: the key', enter);
      await terminal.typedAfter('reveal: secrets in clear', enter);
      await terminal.typedAfter('by: on whose behalf', enter);
      const { code, text } = await terminal.ended();
      expect(text).toContain('the same without questions: ./domus call dbmanager config.get host=igor plugin=lamp\n');
      expect(text).toContain('"plugin": "lamp"');
      expect(code).toBe(0);
    });

    it('asks for a command of a plugin and its parameters', async () => {
      const terminal = ask('igor.lamp', 'helper.do');
      await terminal.typedAfter('command: what it shall do', enter);
      await terminal.typedAfter('level: How bright', `300${enter}`);
      await terminal.typedAfter('must be at most 100', `${'\u007F'.repeat(3)}30${enter}`);
      await terminal.typedAfter('room: Where', `${down}${down}${enter}`);
      const { code, text } = await terminal.ended();
      expect(text).toContain('the same without questions: ./domus call igor.lamp helper.do command=dim level=30 room=attic\n');
      expect(text).toMatch(/"dimmed": \{\s+"level": 30,\s+"room": "attic"\s+\}/);
      expect(code).toBe(0);
    });

    it('leaves out what may be left out, where there is a choice, when Enter is pressed', async () => {
      const terminal = ask('igor.lamp', 'helper.do');
      await terminal.typedAfter('command: what it shall do', enter);
      await terminal.typedAfter('level: How bright', `30${enter}`);
      await terminal.typedAfter('room: Where', enter);
      const { code, text } = await terminal.ended();
      expect(text).toContain('the same without questions: ./domus call igor.lamp helper.do command=dim level=30\n');
      expect(code).toBe(0);
    });

    it('sends nothing when it is left by Ctrl-C', async () => {
      const terminal = ask('dbmanager', 'config.delete');
      await terminal.typedAfter('host: the host', '\u0003');
      const { code, text } = await terminal.ended();
      expect(text).toMatch(/CANCELLED: nothing was sent\n$/);
      expect(code).toBe(1);
    });

    it('asks nothing that the call does not need', async () => {
      const terminal = ask('dbmanager', 'config.get', 'host=igor', 'plugin=lamp');
      const { code, text } = await terminal.ended();
      expect(text).toMatch(/^\{\n/);
      expect(code).toBe(0);
    });
  });

  describe.concurrent('of a plugin that does not run', () => {
    const refused = async (service: string): Promise<Ran> => await home.run('call', service, 'helper.list');

    it('says that it is stopped, and what starts it, and does not wait for it first', async () => {
      await home.tell('plugin', 'install', '--no-start', writeKitPlugin(home, 'asleep'));
      const stopped = { code: 1, stdout: '', stderr: 'SERVICE_UNKNOWN: asleep on igor is stopped; start it with: ./domus plugin start igor.asleep\n' };
      expect(await refused('igor.asleep')).toMatchObject(stopped);
      expect(await refused('asleep')).toMatchObject(stopped);
      // Who waited would have no answer by the deadline.
      expect(await home.run('call', 'igor.asleep', 'helper.list', '--timeout', '3')).toMatchObject(stopped);
    });

    it('says that it is not installed, and what installs it', async () => {
      const folder = writeKitPlugin(home, 'gone');
      await home.tell('plugin', 'install', folder);
      await home.tell('plugin', 'uninstall', 'gone');
      expect(await refused('igor.gone')).toMatchObject({ code: 1, stdout: '', stderr: 'SERVICE_UNKNOWN: no plugin gone is installed on igor; see what is: ./domus plugin list\n' });
    });

    it('says why it is failing, and where to look', async () => {
      await home.tell('plugin', 'install', '--no-start', writeShellPlugin(home, 'broken', 'exit 3'));
      await house.client.request('manager', { action: 'plugin.start', data: { id: 'broken' } });
      await house.untilPlugin('broken', ({ state }) => state === 'backoff' || state === 'failed');
      expect((await refused('igor.broken')).stderr).toMatch(/^SERVICE_UNKNOWN: broken on igor is (backoff|failed|starting).*; see: \.\/domus plugin log igor\.broken\n$/);
    });
  });
});
