// What every plugin answers, whatever language it is written in.
import { z } from 'zod';
import { configurationItems, jsonValue } from './configuration.ts';
import { contract } from './contract.ts';

const command = z.string().describe('the name of the command');
const parameters = z.record(z.string(), jsonValue).describe('its parameters, by name');

const unknownCommand = { COMMAND_UNKNOWN: 'The plugin has no such command.' } as const;

export const helperList = contract({
  service: 'plugin',
  action: 'helper.list',
  aliases: ['helper.list.get'],
  summary: 'The commands of a plugin.',
  idempotent: true,
  input: z.object({}),
  output: z.object({ actions: z.array(z.string()).describe('the names of its commands') }),
});

export const helperHelp = contract({
  service: 'plugin',
  action: 'helper.help',
  aliases: ['helper.help.get'],
  summary: 'What a command does and which parameters it takes.',
  idempotent: true,
  input: z.object({ command }),
  output: z.object({
    command,
    help: z.string().describe('what it does'),
    parameters: configurationItems.describe('what it can be told, by name'),
  }),
  errors: unknownCommand,
});

export const helperDo = contract({
  service: 'plugin',
  action: 'helper.do',
  summary: 'Runs a command of the plugin and answers with its result.',
  input: z.object({ command, parameters: parameters.default({}) }),
  output: z.object({ command, parameters, result: jsonValue.describe('what it gave') }),
  errors: {
    ...unknownCommand,
    PARAMETERS_INVALID: 'A parameter is missing, unknown or wrong; `fields` has the reason for each.',
    COMMAND_FAILED: 'The command ran and failed; the reason is the plugin’s own.',
  },
});

export const stopPlugin = contract({
  service: 'plugin',
  action: 'plugin.stop',
  summary: 'Asks the plugin to stop; answered at once, then it finishes what it holds and ends.',
  idempotent: true,
  input: z.object({}),
  output: z.object({}),
});
