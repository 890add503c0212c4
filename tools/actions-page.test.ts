// The reference page says what the contracts say.
import { readFileSync } from 'node:fs';
import { contracts } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { actionsPage, actionsPageFile } from './actions-page.ts';
import { fieldsOf, typeText, type JsonSchema } from './json-schema-text.ts';

describe('docs/actions.md', () => {
  it('is what the contracts say', () => {
    expect(readFileSync(actionsPageFile, 'utf8'), 'the contracts have changed: run "npx -y pnpm docs:actions"').toBe(actionsPage());
  });

  it('is the same however often it is made', () => {
    expect(actionsPage()).toBe(actionsPage());
  });

  it('has a heading for every action', () => {
    const headings = actionsPage().split('\n').filter((line) => line.startsWith('### '));
    for (const { service, action } of Object.values(contracts).flat()) expect(headings).toContain(`### ${service} \`${action}\``);
  });

  it('has a heading for everything that it links to', () => {
    const page = actionsPage();
    const targets = [...page.matchAll(/\]\(#([a-z]+)\)/g)].map(([, target]) => target);
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading?.toLowerCase());
    expect(targets.length).toBeGreaterThan(0);
    expect(headings).toEqual(expect.arrayContaining(targets));
  });

  it.each(Object.values(contracts).flat())('says what each field of $service $action means', ({ input, output }) => {
    for (const schema of [input.toJSONSchema({ io: 'input' }), output.toJSONSchema({ io: 'output' })] as JsonSchema[]) {
      const objects = [...(schema.anyOf ?? [schema]), ...Object.values(schema.$defs ?? {})];
      const silent = objects.flatMap((object) => fieldsOf(object)).filter(({ description }) => description === '');
      expect(silent).toEqual([]);
    }
  });
});

describe('the words for a schema', () => {
  it('names the fields of objects inside objects and lists by their path', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: {
        job: { type: 'object', properties: { percent: { type: 'integer', description: 'how far', default: 0 } }, required: [] },
        packages: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
      },
      required: ['job'],
    };
    expect(fieldsOf(schema)).toEqual([
      { path: 'job', type: 'object', presence: 'required', description: '' },
      { path: 'job.percent', type: 'integer', presence: 'default `0`', description: 'how far' },
      { path: 'packages', type: 'list of object', presence: 'optional', description: '' },
      { path: 'packages[].name', type: 'string', presence: 'required', description: '' },
    ]);
  });

  it.each<[string, JsonSchema]>([
    ['string', { type: 'string' }],
    ['integer, 1 to 1000', { type: 'integer', minimum: 1, maximum: 1000 }],
    ['integer, at least 0', { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }],
    ['number, at most 5', { type: 'number', maximum: 5 }],
    ['integer', { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }],
    ['integer or null', { anyOf: [{ type: 'integer' }, { type: 'null' }] }],
    ['`on`, `off`', { type: 'string', enum: ['on', 'off'] }],
    ['`true`', { type: 'boolean', const: true }],
    ['map of [Job](#job)', { type: 'object', additionalProperties: { $ref: '#/$defs/Job' } }],
    ['list of string', { type: 'array', items: { type: 'string' } }],
  ])('says %s', (words, schema) => {
    expect(typeText(schema)).toBe(words);
  });
});
