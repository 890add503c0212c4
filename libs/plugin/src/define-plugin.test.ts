import { describe, expect, it } from 'vitest';
import heating from '../test/plugin.json' with { type: 'json' };
import { definePlugin, PluginDefinitionError } from './define-plugin.ts';

const helpers = { warm: () => 'warmer', off: () => null };

function refusal(manifest: typeof heating, functions: typeof helpers = helpers): PluginDefinitionError {
  try {
    definePlugin(manifest, { helpers: functions });
  } catch (error) {
    if (error instanceof PluginDefinitionError) return error;
    throw error;
  }
  throw new TypeError('the definition was accepted');
}

describe('definePlugin', () => {
  it('takes a manifest and fills in what it may leave out', () => {
    const { manifest, helpers: functions } = definePlugin(heating, { helpers });
    expect(manifest.sensors).toEqual({});
    expect(manifest.commands['off']?.parameters).toEqual({});
    expect([...functions.keys()]).toEqual(['warm', 'off']);
  });

  it('refuses a wrong plugin.json, with a reason for each field', () => {
    const { port, ...others } = heating.configuration;
    const { example: _example, ...bare } = port;
    const wrong = { ...heating, version: '1', name: 'manager', configuration: { ...others, port: bare } };
    const { code, message, fields } = refusal(wrong as unknown as typeof heating);
    expect(code).toBe('MANIFEST_INVALID');
    expect(fields).toEqual({
      name: expect.stringContaining('a reserved name'),
      version: expect.stringContaining('a version such as 1.2.3'),
      'configuration.port': 'needs a default or an example',
    });
    expect(message).toContain('configuration.port: needs a default or an example');
  });

  it('refuses "required": false, which the compiler takes for required', () => {
    const parameters = { ...heating.commands.warm.parameters, room: { ...heating.commands.warm.parameters.room, required: false } };
    const wrong = { ...heating, commands: { ...heating.commands, warm: { ...heating.commands.warm, parameters } } };
    expect(Object.keys(refusal(wrong).fields)).toEqual(['commands.warm.parameters.room.required']);
  });

  it('refuses helpers that are not those of the commands', () => {
    const { code, fields } = refusal(heating, { warm: helpers.warm, cool: helpers.off } as unknown as typeof helpers);
    expect(code).toBe('HELPERS_MISMATCH');
    expect(fields).toEqual({
      off: 'is a command of plugin.json, but no function of helpers',
      cool: 'is a function of helpers, but no command of plugin.json',
    });
  });
});
