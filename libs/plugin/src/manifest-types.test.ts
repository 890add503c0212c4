// What the compiler knows of a plugin from its plugin.json; `tsc` fails where one of these is not so.
import type { JsonValue } from '@majordomus/contracts';
import { describe, expect, expectTypeOf, it } from 'vitest';
import heating from '../test/plugin.json' with { type: 'json' };
import { definePlugin, type PluginDefinition } from './define-plugin.ts';
import type { CommandOf, ConfigurationOf, ParametersOf } from './manifest-types.ts';

type Heating = typeof heating;
const warm = (): string => 'warmer';
const off = (): null => null;

describe('the types of a plugin come from its plugin.json', () => {
  it('types a value by its default, or else by its example', () => {
    expectTypeOf<ConfigurationOf<Heating>>().toEqualTypeOf<{
      readonly port: string;
      readonly target: number;
      readonly rooms: readonly string[];
      readonly eco: boolean;
      readonly label: string | undefined;
      readonly calibration: { readonly [key: string]: JsonValue };
    }>();
  });

  it('types the parameters of each command in the same way', () => {
    expectTypeOf<CommandOf<Heating>>().toEqualTypeOf<'warm' | 'off'>();
    expectTypeOf<ParametersOf<Heating, 'warm'>>().toEqualTypeOf<{ readonly room: string; readonly degrees: number; readonly minutes: number | undefined }>();
    expectTypeOf<ParametersOf<Heating, 'off'>>().toEqualTypeOf<{ readonly [key: string]: never }>();
  });

  it('hands the types to start and to the helpers', () => {
    const plugin = definePlugin(heating, {
      start({ configuration, readConfiguration, signal }) {
        expectTypeOf(configuration.target).toEqualTypeOf<number>();
        expectTypeOf(readConfiguration).returns.resolves.toEqualTypeOf(configuration);
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        // @ts-expect-error plugin.json has no such item
        expect(configuration.missing).toBeUndefined();
      },
      helpers: {
        warm({ parameters, configuration }) {
          expectTypeOf(parameters.room).toEqualTypeOf<string>();
          expectTypeOf(configuration.eco).toEqualTypeOf<boolean>();
          // @ts-expect-error the command has no such parameter
          return { room: parameters.room, missing: parameters.missing ?? null };
        },
        off: async () => ['cold'] as const,
      },
    });
    expect(plugin.manifest.name).toBe('heating');
  });

  it('has one helper for each command, with a result that is JSON', () => {
    const definitions = {
      // @ts-expect-error a helper is missing
      missing: { helpers: { warm } } satisfies PluginDefinition<Heating>,
      // @ts-expect-error there is no such command
      extra: { helpers: { warm, off, cool: off } } satisfies PluginDefinition<Heating>,
      // @ts-expect-error a date is not JSON
      date: { helpers: { warm, off: () => new Date() } } satisfies PluginDefinition<Heating>,
      // @ts-expect-error a plugin without commands has no helpers
      none: { helpers: { off } } satisfies PluginDefinition<{ name: string; version: string; description: string; engine: string }>,
    };
    expect(Object.keys(definitions)).toHaveLength(4);
  });
});
