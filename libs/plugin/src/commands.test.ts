import { ActionFailure, helperDo, type JsonValue } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configured, heating } from '../test/heating.ts';
import { testPlugin } from './test-plugin.ts';

const contractCodes = new Set(Object.keys(helperDo.errors));

describe('the commands of a plugin', () => {
  it('give their result', async () => {
    await using plugin = await testPlugin(heating(), { configuration: configured });
    expect(plugin.state()).toEqual({ ready: true });
    await expect(plugin.helper('warm', { room: 'hall', degrees: 19 })).resolves.toEqual({ at: '/dev/ttyS1', room: 'hall', degrees: 19 });
    await expect(plugin.helper('off')).resolves.toBeNull();
  });

  it('refuse parameters that are missing, unknown or wrong, with a reason for each', async () => {
    await using plugin = await testPlugin(heating(), { configuration: configured });
    await expect(plugin.helper('warm', { degrees: 99, minutes: 1.5, cellar: true })).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
      details: {
        fields: {
          room: 'is required',
          degrees: 'must be at most 30, not 99',
          minutes: 'must be a whole number, not 1.5',
          cellar: 'is not known; known: room, degrees, minutes',
        },
      },
    });
    await expect(plugin.helper('off', { now: true })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', details: { fields: { now: 'is not known; nothing can be set' } } });
  });

  it('say what a mistyped one may have meant', async () => {
    await using plugin = await testPlugin(heating(), { configuration: configured });
    await expect(plugin.helper('wram', {})).rejects.toMatchObject({
      code: 'COMMAND_UNKNOWN',
      message: 'heating has no command "wram"; did you mean warm? (it has warm, off)',
      details: { commands: ['warm', 'off'] },
    });
    await expect(plugin.helper('constructor')).rejects.toMatchObject({ code: 'COMMAND_UNKNOWN', message: 'heating has no command "constructor" (it has warm, off)' });
  });

  it.each<[string, () => JsonValue, string]>([
    ['an error', () => { throw new TypeError('the boiler is cold'); }, 'the boiler is cold'],
    ['an error without a message', () => { throw new RangeError(); }, 'RangeError'],
    ['anything else', () => { throw Object.create(null); }, '[Object: null prototype] {}'],
    ['a number that is not JSON', () => Number.NaN, 'warm answered with something that is not JSON'],
    ['a tree too deep to be read', () => Array.from({ length: 50_000 }).reduce<JsonValue>((tree) => [tree], null), 'Maximum call stack size exceeded'],
  ])('fail with a reason when the function gives %s, and the plugin goes on', async (_what, warm, reason) => {
    await using plugin = await testPlugin(heating({ warm }), { configuration: configured });
    await expect(plugin.helper('warm', { room: 'hall' })).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: reason });
    await expect(plugin.helper('off')).resolves.toBeNull();
  });

  it('that return nothing answer null', async () => {
    await using plugin = await testPlugin(heating({ off: () => {} }), { configuration: configured });
    await expect(plugin.helper('off')).resolves.toBeNull();
  });

  it('keep the code that the function chose', async () => {
    await using plugin = await testPlugin(heating({ warm: () => { throw new ActionFailure('PARAMETERS_INVALID', 'no such room', { fields: { room: 'is not one' } }); } }), { configuration: configured });
    await expect(plugin.helper('warm', { room: 'attic' })).rejects.toMatchObject({ code: 'PARAMETERS_INVALID', message: 'no such room', details: { fields: { room: 'is not one' } } });
  });

  it('refuse anything else with a code, and never end the plugin', async () => {
    await using plugin = await testPlugin(heating(), { configuration: configured });
    const command = fc.oneof(fc.constantFrom('warm', 'off'), fc.string());
    const key = fc.oneof(fc.constantFrom('room', 'degrees', 'minutes'), fc.string());
    await fc.assert(
      fc.asyncProperty(command, fc.dictionary(key, fc.jsonValue() as fc.Arbitrary<JsonValue>), async (name, parameters) => {
        try {
          await plugin.helper(name, parameters);
        } catch (error) {
          expect(contractCodes).toContain((error as { readonly code?: string }).code);
        }
      }),
      { numRuns: 500 },
    );
    await expect(plugin.helper('off')).resolves.toBeNull();
  });
});
