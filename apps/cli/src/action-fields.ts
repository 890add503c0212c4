// The data of an action field by field, as its contract has it: what a person is asked for, and what a word such as
// `plugin=diskfree` means. Pure.
import type { Contract, JsonValue } from '@majordomus/contracts';
import { z } from 'zod';

export interface Field {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** For a person: `text`, `whole number`, `true or false`. */
  readonly type: string;
  /** The only values allowed, where there are few. */
  readonly values: readonly JsonValue[];
  readonly default: JsonValue | undefined;
  readonly schema: z.ZodType;
}

/** What JSON Schema says of a field, as far as it matters here. */
interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly enum?: readonly JsonValue[];
  readonly const?: JsonValue;
}

const typeTexts: Readonly<Record<string, string>> = {
  string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false', array: 'JSON list', object: 'JSON object',
};

/** The forms that the data may have, most have one; each with its fields in order. */
export function formsOf({ input }: Contract): readonly (readonly Field[])[] {
  const forms = input instanceof z.ZodUnion ? input.options : [input];
  return forms.filter((form) => form instanceof z.ZodObject).map(fieldsOf);
}

function fieldsOf(form: z.ZodObject): Field[] {
  return Object.entries(form.shape).map(([name, shape]) => {
    const schema = shape as z.ZodType;
    const said = described(schema);
    return {
      name,
      schema,
      description: said.description ?? '',
      required: !schema.safeParse(undefined).success,
      type: typeTexts[said.type ?? ''] ?? 'JSON',
      values: said.enum ?? (said.const === undefined ? [] : [said.const]),
      default: said.default,
    };
  });
}

function described(schema: z.ZodType): FieldSchema {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as FieldSchema;
  return { ...json, ...(schema.description !== undefined && { description: schema.description }) };
}

/**
 * What a person typed, as a value: as JSON where the field takes that, else as text. A field that is not known takes either.
 */
export function typedValue(text: string, schema?: z.ZodType): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
  return schema !== undefined && !schema.safeParse(value).success && schema.safeParse(text).success ? text : value;
}
