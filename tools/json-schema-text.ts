// A JSON Schema as words for the reference page: what kind of value, and the fields of an object, those of objects
// inside it too (`job.error.code`, `packages[].name`). Schemas with an id are shared, and named instead of repeated.

/** As much of JSON Schema as zod writes for a contract. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
  readonly $defs?: { readonly [id: string]: JsonSchema };
}

/** One line of a table of fields. */
export interface Field {
  /** The path from the data, with `[]` for each entry of a list. */
  readonly path: string;
  readonly type: string;
  /** `required`, `optional`, or the default. */
  readonly presence: string;
  readonly description: string;
}

/** The fields of an object's schema, in the order of their definition. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const row = { path, type: typeText(field), presence: presenceText(schema, name, field), description: field.description ?? '' };
    const inner = field.type === 'array' ? fieldsOf(field.items ?? {}, `${path}[].`) : fieldsOf(field, `${path}.`);
    return [row, ...inner];
  });
}

function presenceText(schema: JsonSchema, name: string, field: JsonSchema): string {
  if (field.default !== undefined) return `default \`${JSON.stringify(field.default)}\``;
  return schema.required?.includes(name) === true ? 'required' : 'optional';
}

/** What kind of value a schema allows, in words; a shared one as a link to its heading. */
export function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const id = schema.$ref.slice('#/$defs/'.length);
    return `[${id}](#${id.toLowerCase()})`;
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (typeof schema.additionalProperties === 'object') return `map of ${typeText(schema.additionalProperties)}`;
  return `${schema.type ?? 'any'}${rangeText(schema)}`;
}

/** The bounds that say something; those of the safe integers do not. */
function rangeText({ minimum, maximum }: JsonSchema): string {
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (from !== undefined && to !== undefined) return `, ${from} to ${to}`;
  if (from !== undefined) return `, at least ${from}`;
  return to === undefined ? '' : `, at most ${to}`;
}
