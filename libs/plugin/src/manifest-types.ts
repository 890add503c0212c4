// The types of a plugin's configuration and of its commands' parameters, read from the static type of its plugin.json.
// TypeScript widens a JSON import: an item's `type` is any string and `required` any boolean. So a value's type is
// that of the item's default, else of its example, and an item that has the word `required` is required.
import type { JsonValue } from '@majordomus/contracts';

/** The least that the static type of a plugin.json must have; the values are checked when the program starts. */
export interface ManifestShape {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly engine: string;
  readonly configuration?: ItemShapes;
  readonly commands?: { readonly [command: string]: { readonly description: string; readonly parameters?: ItemShapes } };
}

interface ItemShapes {
  readonly [key: string]: {
    readonly type: string;
    readonly description: string;
    readonly default?: unknown;
    readonly example?: unknown;
    readonly required?: unknown;
  };
}

/** What a plugin is configured with, defaults filled in. */
export type ConfigurationOf<M extends ManifestShape> = M extends { readonly configuration: infer Items } ? ValuesOf<Items> : NoValues;

/** The names of the commands. */
export type CommandOf<M extends ManifestShape> = M extends { readonly commands: infer Commands } ? keyof Commands & string : never;

/** The parameters of one command, defaults filled in. */
export type ParametersOf<M extends ManifestShape, Command extends CommandOf<M>> = M extends {
  readonly commands: { readonly [C in Command]: { readonly parameters: infer Items } };
}
  ? ValuesOf<Items>
  : NoValues;

type NoValues = { readonly [key: string]: never };
type ValuesOf<Items> = { readonly [Key in keyof Items]: ValueOf<Items[Key]> };
type ValueOf<Item> = Item extends { readonly default: infer Default }
  ? Widened<Default>
  : Item extends { readonly example: infer Example }
    ? Item extends { readonly required: unknown } ? Widened<Example> : Widened<Example> | undefined
    : JsonValue | undefined;

/** A list holds strings and an object anything, whatever the default holds: a person may set another one. */
type Widened<Value> = Value extends string ? string
  : Value extends number ? number
  : Value extends boolean ? boolean
  : Value extends readonly unknown[] ? readonly string[]
  : Value extends object ? { readonly [key: string]: JsonValue }
  : JsonValue;
