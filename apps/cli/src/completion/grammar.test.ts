import { Argument, Command, Option } from 'commander';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandsAt, nameOf, optionsAt, positionOf, type Position } from './grammar.ts';

function grammar(): Command {
  const program = new Command('domus').option('--home <value>', 'the home').addOption(new Option('--log-level <value>').choices(['info', 'warn']));
  const plugin = program.command('plugin').alias('plugins').description('plugins');
  plugin.command('start').argument('<plugin>').description('start one');
  plugin.command('log').argument('<plugin>').option('-n, --lines <number>', 'how many').option('-f, --follow', 'go on').description('its log');
  program.command('call').argument('<service>').argument('<action>').argument('[data...]').description('ask');
  program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
  program.command('complete', { hidden: true }).argument('[words...]');
  return program;
}

const program = grammar();

/** What stands at the end of a line; its last word is the one to be completed. */
function at(line: string): Position {
  const words = line.split(' ');
  return positionOf(program, words.slice(0, -1), words.at(-1) ?? '');
}

function wantedAt(line: string): string {
  const { command, wanted } = at(line);
  switch (wanted.kind) {
    case 'operand': return `${command.name()} <${wanted.argument?.name() ?? ''}>`;
    case 'value': return `${command.name()} ${nameOf(wanted.option)} after "${wanted.prefix}"`;
    default: return `${command.name()} ${wanted.kind}`;
  }
}

describe('the word to be completed', () => {
  it.each([
    ['', 'domus command'],
    ['pl', 'domus command'],
    ['--ho', 'domus option'],
    ['--home ', 'domus home after ""'],
    ['--home=/tm', 'domus home after "--home="'],
    ['--home /x plugin ', 'plugin command'],
    ['plugin start ', 'start <plugin>'],
    ['plugins start di', 'start <plugin>'],
    ['plugin start diskfree ', 'start <>'],
    ['plugin log -n ', 'log lines after ""'],
    ['plugin log -fn ', 'log lines after ""'],
    ['plugin log -f ', 'log <plugin>'],
    ['plugin log --home ', 'log home after ""'],
    ['call igor.diskfree ', 'call <action>'],
    ['call igor.diskfree helper.do a=1 b=2 ', 'call <data>'],
    ['call -- --dashes ', 'call <action>'],
    ['call -- --d', 'call <service>'],
    ['no-such-command ', 'domus <>'],
  ])('of "domus %s" is %s', (line, expected) => {
    expect(wantedAt(line)).toBe(expected);
  });

  it('comes with what was given before it', () => {
    expect(at('--home /x call --log-level=warn igor.diskfree helper.do command=')).toMatchObject({ operands: ['igor.diskfree', 'helper.do'], options: { home: '/x', 'log-level': 'warn' } });
  });

  it('has a place whatever was typed', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('plugin', 'log', 'call', '--home', '--home=', '-f', '-n', '-', '--', '__proto__', 'constructor'));
    fc.assert(fc.property(fc.array(word, { maxLength: 8 }), word, (before, last) => {
      expect(positionOf(program, before, last).wanted.kind).toMatch(/^(value|option|command|operand)$/);
    }));
  });
});

describe('what there is', () => {
  it('are the commands that the help shows, with what they do', () => {
    expect(commandsAt(program)).toContainEqual({ value: 'plugin', description: 'plugins' });
    expect(commandsAt(program).map(({ value }) => value)).not.toContain('complete');
  });

  it('are the options of a command and of those above it', () => {
    const log = at('plugin log ').command;
    expect(optionsAt(log).map(({ value }) => value)).toEqual(expect.arrayContaining(['--lines', '-n', '--follow', '-f', '--home', '--help']));
  });
});
