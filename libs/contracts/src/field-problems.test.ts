import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldProblems, problemsText } from './field-problems.ts';

const schema = z.strictObject({
  name: z.string('must be a name').min(3, 'is too short').regex(/^[a-z]*$/, 'must be lower case'),
  sizes: z.record(z.string().regex(/^[a-z]+$/, 'is no size'), z.strictObject({ width: z.number('must be a number') })),
});

function problems(value: unknown, whole?: string): unknown {
  const { error } = schema.safeParse(value);
  return fieldProblems(error?.issues ?? [], whole);
}

describe('the problems of fields', () => {
  it.each<[string, unknown, unknown]>([
    ['a field that is wrong', { name: 5, sizes: {} }, { name: 'must be a name' }],
    ['two reasons, of which the first is told', { name: 'A', sizes: {} }, { name: 'is too short' }],
    ['a field inside', { name: 'lamp', sizes: { hall: { width: '1' } } }, { 'sizes.hall.width': 'must be a number' }],
    ['fields that nobody knows', { name: 'lamp', sizes: { hall: { width: 1, depth: 2 } }, colour: 1 }, { 'sizes.hall.depth': 'is not known', colour: 'is not known' }],
    ['a key that is wrong', { name: 'lamp', sizes: { 5: { width: 1 } } }, { 'sizes.5': 'is no size' }],
    ['a field with the name of a prototype', JSON.parse('{"name": "lamp", "sizes": {}, "__proto__": 1}'), JSON.parse('{"__proto__": "is not known"}')],
    ['a field that is missing, in the words of a person', { name: 'lamp' }, { sizes: 'is missing' }],
    ['nothing wrong', { name: 'lamp', sizes: {} }, {}],
  ])('have a reason each, by path: %s', (_what, value, expected) => {
    expect(JSON.stringify(problems(value))).toBe(JSON.stringify(expected));
  });

  it('of the whole stand under the name of the whole', () => {
    expect(problems([])).toEqual({ data: 'must be of type object, not array' });
    expect(problems(null, 'plugin.json')).toEqual({ 'plugin.json': 'must be of type object, not null' });
  });

  it('are bounded in number', () => {
    const unknown = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    expect(Object.keys(problems(unknown) as object)).toHaveLength(50);
  });

  it('are one line for a person', () => {
    expect(problemsText({ limit: 'must be at most 100, not 300', mount: 'is not known' })).toBe('limit: must be at most 100, not 300; mount: is not known');
    expect(problemsText({})).toBe('');
  });
});
