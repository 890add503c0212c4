import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  configurationItem, configurationItems, configurationKey, configurationProblems, missingKeys, valueProblem, withDefaults,
  type ConfigurationItem, type ConfigurationItems, type JsonValue,
} from './configuration.ts';

const types = ['string', 'integer', 'number', 'boolean', 'list', 'object'] as const;
type Bounds = Pick<ConfigurationItem, 'type' | 'min' | 'max' | 'options'>;

describe('a value', () => {
  it.each<[Bounds['type'], JsonValue[], [JsonValue, string][]]>([
    ['string', ['', 'text'], [[5, 'must be a string, not 5'], [null, 'must be a string, not null'], [['a'], 'must be a string, not a list']]],
    ['integer', [0, -3, 1e3], [[1.5, 'must be a whole number, not 1.5'], [2 ** 53, 'must be a whole number, not 9007199254740992'], ['5', 'must be a whole number, not a string']]],
    ['number', [0, 1.5, -2], [['1.5', 'must be a number, not a string'], [true, 'must be a number, not true'], [{}, 'must be a number, not an object']]],
    ['boolean', [true, false], [['true', 'must be true or false, not a string'], [0, 'must be true or false, not 0'], [null, 'must be true or false, not null']]],
    ['list', [[], ['a', 'b']], [['a', 'must be a list of strings, not a string'], [['a', 5], 'must be a list of strings, and one entry is 5'], [{}, 'must be a list of strings, not an object']]],
    ['object', [{}, { a: [1] }], [[null, 'must be an object, not null'], [[], 'must be an object, not a list'], ['{}', 'must be an object, not a string']]],
  ])('of type %s fits or has its reason', (type, good, bad) => {
    for (const value of good) expect(valueProblem({ type }, value)).toBeUndefined();
    for (const [value, reason] of bad) expect(valueProblem({ type }, value)).toBe(reason);
  });

  it.each<[Bounds, JsonValue, string | undefined]>([
    [{ type: 'integer', min: 1, max: 100 }, 1, undefined],
    [{ type: 'integer', min: 1, max: 100 }, 100, undefined],
    [{ type: 'integer', min: 1, max: 100 }, 0, 'must be at least 1, not 0'],
    [{ type: 'integer', min: 1, max: 100 }, 300, 'must be at most 100, not 300'],
    [{ type: 'number', max: 0.5 }, 0.6, 'must be at most 0.5, not 0.6'],
    [{ type: 'string', min: 1 }, '', 'length must be at least 1, not 0'],
    [{ type: 'string', max: 3 }, 'four', 'length must be at most 3, not 4'],
    [{ type: 'list', min: 1 }, [], 'length must be at least 1, not 0'],
    [{ type: 'list', max: 1 }, ['a', 'b'], 'length must be at most 1, not 2'],
    [{ type: 'boolean', min: 5 }, true, undefined],
    [{ type: 'object', min: 5 }, {}, undefined],
    [{ type: 'string', options: ['on', 'off'] }, 'on', undefined],
    [{ type: 'string', options: ['on', 'off'] }, 'dim', 'must be one of "on", "off"'],
    [{ type: 'integer', options: [1, 2] }, 3, 'must be one of 1, 2'],
    [{ type: 'list', options: [['a'], ['b']] }, ['b'], undefined],
  ])('%j against %j: %s', (item, value, reason) => {
    expect(valueProblem(item, value)).toBe(reason);
  });

  it('of any kind has an answer for any item, and never both none and a wrong type', () => {
    const item = fc.record({ type: fc.constantFrom(...types), min: fc.double(), max: fc.double(), options: fc.array(fc.jsonValue(), { minLength: 1 }) }, { requiredKeys: ['type'] });
    fc.assert(fc.property(item, fc.jsonValue(), (bounds, any) => {
      const value = any as JsonValue;
      const reason = valueProblem(bounds as Bounds, value);
      if (reason !== undefined) expect(reason).toMatch(/^(length )?must be /);
      else if (bounds.type === 'list') expect(Array.isArray(value)).toBe(true);
      else expect(typeof value).toBe(bounds.type === 'integer' ? 'number' : bounds.type);
    }));
  });

  it('that an item allows only because it is listed fits whatever it is', () => {
    fc.assert(fc.property(fc.string(), fc.array(fc.string()), (value, others) => {
      expect(valueProblem({ type: 'string', options: [...others, value] }, value)).toBeUndefined();
    }));
  });
});

it('a reason says nothing of the value of a secret, nor how long it is', () => {
  const secret = true;
  const told = (type: ConfigurationItem['type'], value: JsonValue, more: { readonly min?: number; readonly max?: number } = {}): string | undefined => valueProblem({ type, secret, ...more }, value);
  expect(told('string', 1234)).toBe('must be a string, not a number');
  expect(told('string', true)).toBe('must be a string, not a boolean');
  expect(told('list', ['a', 1234])).toBe('must be a list of strings, and one entry is a number');
  expect(told('integer', 3, { min: 1000 })).toBe('must be at least 1000');
  expect(told('string', 'hunter2', { max: 4 })).toBe('length must be at most 4');
  expect(told('integer', 12.5)).toBe('must be a whole number, not a number');
});

describe('a configuration item', () => {
  const item = { type: 'integer', description: 'A limit.', default: 5 };

  it.each([
    ['a default', item],
    ['an example', { type: 'integer', description: 'A limit.', example: 5 }],
    ['every field', { ...item, required: true, min: 1, max: 10, options: [5, 6], secret: true }],
    ['a default of false', { type: 'boolean', description: 'On.', default: false }],
  ])('may have %s', (_what, source) => {
    expect(configurationItem.parse(source)).toEqual(source);
  });

  it.each<[string, unknown, string]>([
    ['no default and no example', { type: 'integer', description: 'A limit.' }, ''],
    ['a default of another type', { ...item, default: 'five' }, 'default'],
    ['a default out of its range', { ...item, max: 4 }, 'default'],
    ['an example that is no option', { ...item, default: undefined, example: 5, options: [1] }, 'example'],
    ['an unknown type', { ...item, type: 'float' }, 'type'],
    ['no description', { ...item, description: '' }, 'description'],
    ['a description that is no text', { ...item, description: 5 }, 'description'],
    ['a minimum that is no number', { ...item, min: '1' }, 'min'],
    ['no option at all', { ...item, options: [] }, 'options'],
    ['a field that nobody knows', { ...item, defualt: 5 }, ''],
  ])('is refused for %s', (_what, source, path) => {
    expect(configurationItem.safeParse(source).error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it.each(['limit', 'a.b-c_d', '0', 'constructor', 'A'.repeat(127)])('may be called %s', (key) => {
    expect(configurationItems.safeParse({ [key]: item }).success).toBe(true);
  });

  it.each(['', '_private', '__proto__', 'a b', 'a/b', '.a', 'ä', 'A'.repeat(128)])('may not be called %j', (key) => {
    expect(configurationKey.safeParse(key).success).toBe(false);
  });
});

describe('the configuration of a plugin', () => {
  const items: ConfigurationItems = {
    limit: { type: 'integer', description: 'A limit.', default: 90, min: 1, max: 100 },
    mount: { type: 'string', description: 'A mount point.', example: '/', required: true },
    quiet: { type: 'boolean', description: 'Says nothing.', default: false, required: true },
    note: { type: 'string', description: 'Anything.', example: 'x' },
  };

  it('has a reason for each key that is unknown or wrong, and none for the others', () => {
    expect(configurationProblems(items, { limit: 300, mount: '/', note: 5, colour: 'red' })).toEqual({
      limit: 'must be at most 100, not 300',
      note: 'must be a string, not 5',
      colour: 'is not known; known: limit, mount, quiet, note',
    });
    expect(configurationProblems(items, { limit: 5 })).toEqual({});
    expect(configurationProblems({}, { limit: 5 })).toEqual({ limit: 'is not known; nothing can be set' });
  });

  it.each(['constructor', 'toString', '__proto__'])('does not take %s for something that it knows', (key) => {
    const values = JSON.parse(`{"${key}": 1}`) as Record<string, JsonValue>;
    expect(Object.entries(configurationProblems(items, values))).toEqual([[key, expect.stringContaining('is not known')]]);
  });

  it('has its defaults where nothing is set', () => {
    expect(withDefaults(items, { mount: '/', limit: 80 })).toEqual({ limit: 80, mount: '/', quiet: false });
    expect(withDefaults(items, { quiet: true })).toEqual({ limit: 90, quiet: true });
  });

  it('misses what is required and has neither a value nor a default', () => {
    expect(missingKeys(items, {})).toEqual(['mount']);
    expect(missingKeys(items, { mount: '/' })).toEqual([]);
  });

  it('never throws, and has a problem for every key that is not known, whatever is set', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (any) => {
      const values = any as Record<string, JsonValue>;
      const unknown = Object.keys(values).filter((key) => !Object.hasOwn(items, key));
      expect(Object.keys(configurationProblems(items, values))).toEqual(expect.arrayContaining(unknown));
    }));
  });
});
