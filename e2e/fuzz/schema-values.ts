// Values from the schema of an action: some that fit, some that nearly fit, some that are something else, and the JSON text of
// them with what only a text can have: keys twice, numbers beyond all numbers, half of a surrogate pair.
import * as fc from 'fast-check';

/** The part of JSON Schema that zod writes for a contract. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** What is known to fit a field, by its name; anything else is made from the schema. */
export type Fitting = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const oddWords = ['', ' ', '*', '.', '..', '../x', '/', '\0', 'a\nb', '__proto__', 'constructor', 'toString', 'prototype', 'hasOwnProperty', 'null', 'undefined', 'NaN', 'Upper', 'ünïcode', '\ud800', '\udc00x', '\u202e', '🏠', 'a'.repeat(63), 'a'.repeat(64), 'x'.repeat(5000), '1.0.0', '-1', '1e309', '2026-11-22T22:00:00Z', '2026-02-30', "'; DROP TABLE configuration; --", '%s%n', '$(id)', '${x}'];
const word = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...oddWords) }, { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) }, { weight: 1, arbitrary: fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 8 }) });
const number = fc.oneof(fc.integer({ min: -2, max: 2000 }), fc.constantFrom(1e308, -1e308, -0, 0.5, 2 ** 53, -(2 ** 53), 2 ** 31, 5e-324, 3_600_001));
const anything: fc.Arbitrary<unknown> = fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: number }, fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 4 }), fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }), fc.array(word, { maxLength: 5 }));
const some = { wrong: 1, fitting: 9 } as const;

/** Values for a schema; each part of one fits nine times in ten. */
function valuesFor(schema: Schema, fitting: Fitting, defs: Schema['$defs'] = schema.$defs, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: some.fitting, arbitrary: fits(schema, fitting, defs, depth) }, { weight: some.wrong, arbitrary: anything });
}

function fits(schema: Schema, fitting: Fitting, defs: Schema['$defs'], depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const target = defs?.[schema.$ref.split('/').at(-1) ?? ''];
    return target === undefined || depth > 3 ? anything : fits(target, fitting, defs, depth + 1);
  }
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fits(one, fitting, defs, depth)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  switch (schema.type) {
    case 'object': return objects(schema, fitting, defs, depth);
    case 'array': return fc.array(valuesFor(schema.items ?? {}, fitting, defs, depth + 1), { maxLength: 4 });
    case 'string': return strings(schema);
    case 'integer': return fc.integer({ min: Math.max(schema.minimum ?? -10, -(2 ** 31)), max: Math.min(schema.maximum ?? 5000, 2 ** 31) });
    case 'number': return number;
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    default: return anything;
  }
}

function objects({ properties = {}, additionalProperties, propertyNames }: Schema, fitting: Fitting, defs: Schema['$defs'], depth: number): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => {
    const own = depth === 0 ? fitting[name] : undefined;
    return [name, own === undefined ? valuesFor(schema, fitting, defs, depth + 1) : fc.oneof({ weight: some.fitting, arbitrary: own }, { weight: some.wrong, arbitrary: anything })];
  }));
  const known = fc.oneof({ weight: 4, arbitrary: fc.record(fields) }, { weight: 2, arbitrary: fc.record(fields, { requiredKeys: [] }) });
  const keys = fc.oneof({ weight: 5, arbitrary: propertyNames === undefined ? word : strings(propertyNames) }, { weight: 1, arbitrary: word });
  const more = typeof additionalProperties === 'object' ? fc.dictionary(keys, valuesFor(additionalProperties, fitting, defs, depth + 1), { maxKeys: 4 }) : fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.dictionary(word, anything, { maxKeys: 3 }) });
  // fromEntries, because a key may be called __proto__.
  return fc.tuple(known, more).map(([own, other]) => Object.fromEntries([...Object.entries(own), ...Object.entries(other)]));
}

function strings({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'base64') return fc.base64String({ maxLength: 200 });
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, /\\[pP]\{/.test(pattern) ? 'u' : '')).filter((value) => value.length <= maxLength || maxLength === 60);
  return fc.string({ minLength, maxLength: Math.min(Math.max(minLength, 60), maxLength) });
}

/** What a text of JSON may have and a value may not. */
const textChange: fc.Arbitrary<(json: string) => string> = fc.tuple(fc.nat(13), fc.nat()).map(([kind, where]) => (json: string): string => {
  const at = where % (json.length + 1);
  const inside = (piece: string): string => (json.startsWith('{') ? `{${piece}${json === '{}' ? '' : ','}${json.slice(1)}` : json);
  switch (kind) {
    case 0: return inside(`${/"[^"\\]*":/.exec(json)?.[0] ?? '"host":'}"twice"`);
    case 1: return inside('"__proto__":{"host":"igor","admin":true}');
    case 2: return inside('"x":"\\ud800"');
    case 3: return json.replace(/-?\d+(\.\d+)?/, ['NaN', 'Infinity', '1e999', '-1e999', '123456789012345678901234567890', '01', '1.', '0x10', '-'][where % 9] ?? '');
    case 4: return inside(`"x":${'['.repeat(1 + (where % 20_000))}${']'.repeat(1 + (where % 20_000))}`);
    case 5: return inside(`"x":${'{"x":'.repeat(1 + (where % 3000))}0${'}'.repeat(1 + (where % 3000))}`);
    case 6: return json.slice(0, at);
    case 7: return `${json.slice(0, at)}${String.fromCharCode(where % 256)}${json.slice(at)}`;
    case 8: return `\ufeff${json}`;
    case 9: return inside(`"x":"${'y'.repeat(where % 100_000)}"`);
    case 10: return json.replace(/"[^"]*"/, `"${'\\u0000'.repeat(where % 50)}"`);
    case 11: return `${json}${json}`;
    case 12: return ['null', 'true', '[]', '""', '0', '', ' ', '[{}]', '"{}"', '//x\n{}'][where % 10] ?? '';
    default: return json.replaceAll('"', "'");
  }
});

/** The JSON of values, one in five with something that only a text can have. */
export function jsonFor(schema: Schema, fitting: Fitting): fc.Arbitrary<string> {
  return fc.tuple(valuesFor(schema, fitting), fc.oneof({ weight: 4, arbitrary: fc.constant((json: string) => json) }, { weight: 1, arbitrary: textChange }))
    .map(([value, step]) => step(JSON.stringify(value) ?? 'null'));
}
