// Where settings come from, and what a person reads when one is wrong. Real files in a home of its own for each test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { homePaths } from './home.ts';
import { bindSetting, commonSettings, defaultEndpoint, isGiven, joinSetting, ownHostName, parseFlags, readSettings, type Setting, type SettingSources } from './settings.ts';
import { StartError } from './start-error.ts';

const retries = { name: 'retries', table: 'tester', description: 'how often', schema: z.coerce.number().int('must be a whole number'), fallback: 3 } as const satisfies Setting<number>;
const definitions = { ...commonSettings, bind: bindSetting, retries };

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'majordomus-settings-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function writeFile(text: string): string {
  const { settingsFile } = homePaths(home);
  writeFileSync(settingsFile, text);
  return settingsFile;
}

function read(sources: Partial<SettingSources> = {}): ReturnType<typeof readSettings<typeof definitions>> {
  return readSettings(definitions, { flags: { home, ...sources.flags }, env: sources.env ?? {} });
}

/** The StartError that reading ends with. */
function refusal(act: () => unknown): Pick<StartError, 'code' | 'message'> {
  try {
    act();
  } catch (error) {
    if (error instanceof StartError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new TypeError('nothing was refused');
}

describe('a setting', () => {
  it('has its default when nobody gives it', () => {
    expect(read()).toEqual({ home, broker: defaultEndpoint, bind: defaultEndpoint, host: ownHostName(), logLevel: 'info', retries: 3 });
  });

  it('comes from majordomus.toml rather than from the default', () => {
    writeFile('log-level = "warn"\n[tester]\nretries = 4\n');
    expect(read()).toMatchObject({ logLevel: 'warn', retries: 4 });
  });

  it('comes from its variable rather than from majordomus.toml', () => {
    writeFile('log-level = "warn"\n[tester]\nretries = 4\n');
    expect(read({ env: { DOMUS_LOG_LEVEL: 'error', DOMUS_RETRIES: '5' } })).toMatchObject({ logLevel: 'error', retries: 5 });
  });

  it('comes from its flag rather than from its variable', () => {
    writeFile('log-level = "warn"\n[tester]\nretries = 4\n');
    const env = { DOMUS_LOG_LEVEL: 'error', DOMUS_RETRIES: '5' };
    expect(read({ flags: { 'log-level': 'debug', retries: '6' }, env })).toMatchObject({ logLevel: 'debug', retries: 6 });
  });

  it('is not given by an empty variable', () => {
    expect(read({ env: { DOMUS_LOG_LEVEL: '' } }).logLevel).toBe('info');
  });

  it('has the type of its schema', () => {
    expectTypeOf(read().retries).toEqualTypeOf<number>();
    expectTypeOf(read().logLevel).toEqualTypeOf<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'>();
  });

  it('tells whether anybody gave it', () => {
    writeFile('host = "igor"\n');
    const sources = { flags: { broker: 'tcp://127.0.0.1:1' }, env: { DOMUS_BIND: 'tcp://127.0.0.1:2' } };
    const given = Object.values(definitions).filter((setting) => isGiven(setting, sources, home)).map(({ name }) => name);
    expect(given.toSorted()).toEqual(['bind', 'broker', 'host']);
  });
});

describe('the home', () => {
  it('of the flag is the one whose majordomus.toml is read', () => {
    const other = join(home, 'other');
    mkdirSync(other);
    writeFileSync(homePaths(other).settingsFile, 'host = "other"\n');
    writeFile('host = "mine"\n');
    expect(readSettings(definitions, { flags: { home: other }, env: { DOMUS_HOME: home } })).toMatchObject({ home: other, host: 'other' });
    expect(readSettings(definitions, { flags: {}, env: { DOMUS_HOME: home } })).toMatchObject({ home, host: 'mine' });
  });

  it('is an absolute path, however it was given', () => {
    expect(readSettings(commonSettings, { flags: { home: 'some/house' }, env: {} }).home).toBe(join(process.cwd(), 'some/house'));
  });

  it('need not exist yet', () => {
    expect(readSettings(commonSettings, { flags: { home: join(home, 'none', 'yet') }, env: {} }).logLevel).toBe('info');
  });

  it('cannot be set by the file that stands in it', () => {
    const file = writeFile('home = "/elsewhere"\n');
    expect(refusal(() => read()).message).toBe(`home in ${file} is not a setting; known: broker, host, log-level, bind, join, primary`);
  });
});

describe('a wrong value', () => {
  const address = 'must be an address such as tcp://127.0.0.1:40410';

  it.each<[string, SettingSources, string]>([
    ['a flag', { flags: { broker: 'localhost' }, env: {} }, `--broker: "localhost" ${address}`],
    ['a variable', { flags: {}, env: { DOMUS_BIND: 'http://127.0.0.1:80' } }, `DOMUS_BIND: "http://127.0.0.1:80" ${address}`],
    ['a port', { flags: { bind: 'tcp://127.0.0.1:99999' }, env: {} }, '--bind: "tcp://127.0.0.1:99999" must have a port up to 65535'],
    ['an empty flag', { flags: { home: '' }, env: {} }, '--home: "" must be a path'],
    ['a host name in capitals', { flags: { host: 'Igor' }, env: {} }, '--host: "Igor" must be a host name: lower-case letters, digits and "-"'],
    ['a host name with a dot', { flags: { host: 'igor.lan' }, env: {} }, '--host: "igor.lan" must be a host name: lower-case letters, digits and "-"'],
    ['a level that is none', { flags: {}, env: { DOMUS_LOG_LEVEL: 'loud' } }, 'DOMUS_LOG_LEVEL: "loud" must be one of trace, debug, info, warn, error, silent'],
    ['a word for a number', { flags: { retries: 'many' }, env: {} }, '--retries: "many" must be a number'],
    ['a fraction for a whole number', { flags: { retries: '1.5' }, env: {} }, '--retries: "1.5" must be a whole number'],
  ])('of %s is refused with its origin and what it must be', (_what, { flags, env }, message) => {
    expect(refusal(() => read({ flags, env }))).toEqual({ code: 'SETTING_INVALID', message });
  });

  it.each([
    ['broker = 40410\n', 'broker', '40410 must be a string'],
    ['host = ["igor"]\n', 'host', '["igor"] must be a string'],
    ['[log-level]\n', 'log-level', '{} must be one of trace, debug, info, warn, error, silent'],
    ['bind = "tcp://*"\n', 'bind', `"tcp://*" ${address}`],
    ['[tester]\nretries = "many"\n', 'retries', '"many" must be a number'],
  ])('in majordomus.toml is refused with the file: %j', (text, name, reason) => {
    const file = writeFile(text);
    expect(refusal(() => read())).toEqual({ code: 'SETTING_INVALID', message: `${name} in ${file}: ${reason}` });
  });

  it.each(['tcp://127.0.0.1:40410', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:*', 'tcp://house.lan:1', 'tcp://[::1]:40410', 'ipc:///tmp/socket'])('is not %s', (broker) => {
    expect(read({ flags: { broker } }).broker).toBe(broker);
  });
});

describe('majordomus.toml', () => {
  it('that is broken is refused with its line and column', () => {
    const file = writeFile('host = "igor"\nbroker = tcp://127.0.0.1\n');
    const { code, message } = refusal(() => read());
    expect(code).toBe('CONFIG_FILE_INVALID');
    expect(message).toMatch(/^[^\n]*$/);
    expect(message).toContain(`${file}, line 2, column 10 is not valid TOML: `);
    expect(message).toContain('mend the line, or move the file away to start with defaults');
  });

  it('may not set what nobody knows', () => {
    const file = writeFile('brocker = "tcp://127.0.0.1:1"\n');
    expect(refusal(() => read())).toEqual({ code: 'CONFIG_FILE_INVALID', message: `brocker in ${file} is not a setting; known: broker, host, log-level, bind, join, primary` });
  });

  it('may not set in a table of the part what the part does not know', () => {
    const file = writeFile('[tester]\nretry = 3\n');
    expect(refusal(() => read())).toEqual({ code: 'CONFIG_FILE_INVALID', message: `retry in [tester] of ${file} is not a setting; known: retries` });
  });

  it('may not have a value where a table of the part stands', () => {
    const file = writeFile('tester = 3\n');
    expect(refusal(() => read()).message).toBe(`tester in ${file} is not a setting; known: broker, host, log-level, bind, join, primary`);
  });

  it('may not have a table that no part reads', () => {
    const file = writeFile('[limit]\nmax-capacity = 3\n');
    expect(refusal(() => read()).message).toBe(`[limit] in ${file} is not a table of settings; known: limits, manager, packagemanager, dbmanager, tester`);
  });

  it('may have the tables of other parts, and the common settings that this part does not use', () => {
    writeFile('bind = "tcp://127.0.0.1:5"\n[packagemanager]\nanything = true\n');
    expect(readSettings(commonSettings, { flags: { home }, env: {} }).home).toBe(home);
  });

  it('that cannot be read is refused with what to do', () => {
    mkdirSync(homePaths(home).settingsFile);
    const { code, message } = refusal(() => read());
    expect(code).toBe('CONFIG_FILE_INVALID');
    expect(message).toContain(`cannot read ${homePaths(home).settingsFile}: illegal operation on a directory (EISDIR)`);
    expect(message).toContain('make it a readable file, or move it away');
  });

  it('of any content is either read or refused in one line', () => {
    const file = homePaths(home).settingsFile;
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(host|broker|\[tester\]|retries|=|"| |\n|\d|\.)*$/)), (text) => {
      writeFileSync(file, text);
      try {
        read();
      } catch (error) {
        expect(error).toBeInstanceOf(StartError);
        expect((error as StartError).message).not.toContain('\n');
      }
    }), { numRuns: 300 });
  });
});

describe('the house to join', () => {
  const joining = { ...commonSettings, join: joinSetting };
  const join = (address: string): string | undefined => readSettings(joining, { flags: { home, join: address }, env: {} }).join;

  it('is where its broker is reached, and none unless it is given', () => {
    expect(readSettings(joining, { flags: { home }, env: {} }).join).toBeUndefined();
    for (const address of ['tcp://192.0.2.1:40410', 'tcp://igor.lan:5', 'tcp://[2001:db8::1]:40410', 'ipc:///run/house']) expect(join(address)).toBe(address);
  });

  it('may stand in majordomus.toml, which every part of the house reads', () => {
    writeFile('join = "tcp://192.0.2.1:40410"\n');
    expect(readSettings(joining, { flags: { home }, env: {} }).join).toBe('tcp://192.0.2.1:40410');
    expect(() => read()).not.toThrow();
  });

  it.each(['tcp://*:40410', 'tcp://0.0.0.0:40410', 'tcp://[::]:40410', 'tcp://192.0.2.1:*', 'tcp://192.0.2.1:0', 'igor'])('is not %s', (address) => {
    expect(refusal(() => join(address))).toMatchObject({ code: 'SETTING_INVALID', message: expect.stringContaining(`--join: "${address}" must `) as string });
  });
});

describe('flags', () => {
  const known = '--home, --broker, --host, --log-level, --bind, --retries';

  it('are read with a blank or an equals sign', () => {
    expect(parseFlags(definitions, ['--home', '/a', '--log-level=warn'])).toEqual({ home: '/a', 'log-level': 'warn' });
    expect(parseFlags(definitions, [])).toEqual({});
  });

  it.each([
    [['--colour', 'red'], `Unknown option '--colour'; known flags: ${known}`],
    [['start'], `Unexpected argument 'start'; known flags: ${known}`],
    [['--home'], `Option '--home <value>' argument missing; known flags: ${known}`],
    [['--home', '--bind', 'x'], `Option '--home' argument is ambiguous; known flags: ${known}`],
  ])('%j are refused in one line', (args, message) => {
    expect(refusal(() => parseFlags(definitions, args))).toEqual({ code: 'SETTING_INVALID', message });
  });
});

describe('the own host name', () => {
  it.each([
    ['igor', 'igor'],
    ['Igor.lan.example', 'igor'],
    ['my_house', 'my-house'],
    ['-weiß', 'wei-'],
    ['--', 'localhost'],
    ['', 'localhost'],
    ['.local', 'localhost'],
    ['a'.repeat(80), 'a'.repeat(63)],
  ])('of a machine called "%s" is %s', (machine, name) => {
    expect(ownHostName(machine)).toBe(name);
  });

  it('is a host name whatever the machine is called', () => {
    fc.assert(fc.property(fc.string(), (machine) => {
      expect(commonSettings.host.schema.safeParse(ownHostName(machine)).success).toBe(true);
    }));
  });
});
