// Which commands a line loads. What they do is in e2e/src/command-line.test.ts.
import { expect, it } from 'vitest';
import { buildProgram } from './program.ts';

const everyCommand = ['up', 'run', 'call', 'services', 'status', 'config', 'plugin', 'logs', 'doctor', 'acknowledge', 'backup', 'restore', 'completion', 'complete', 'stop', 'down', 'systemd'];

it.each([
  ['the one that is typed', ['status', '--json'], ['status']],
  ['the one behind options, whose values are no commands', ['--home', 'up', '--broker=status', 'call', 'plugin'], ['call']],
  ['the two that come together', ['restore'], ['backup', 'restore']],
  ['every one, for the help', ['--help'], everyCommand],
  ['every one, for the help of one', ['help', 'status'], everyCommand],
  ['every one, for a mistyped one', ['statsu', 'up'], everyCommand],
  ['none, for the version', ['--version'], []],
  ['also the one that is being completed', ['complete', '--', '--home', 'up', 'status', '--js'], ['status', 'completion', 'complete']],
  ['every one, for one that is not typed to its end', ['complete', '--', 'up'], everyCommand],
])('a line loads %s', async (_what, args, commands) => {
  expect((await buildProgram(args)).commands.map((command) => command.name())).toEqual(commands);
});
