import type { ConfigurationItem } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { itemType, valueOf } from './item-text.ts';

describe('an item', () => {
  it.each<[Pick<ConfigurationItem, 'type' | 'min' | 'max' | 'options'>, string]>([
    [{ type: 'integer', min: 1, max: 100 }, 'whole number, 1 to 100'],
    [{ type: 'number', min: 0 }, 'number, at least 0'],
    [{ type: 'string', max: 5 }, 'text, length at most 5'],
    [{ type: 'list', min: 1 }, 'list of texts, length at least 1'],
    [{ type: 'boolean' }, 'true or false'],
    [{ type: 'string', options: ['tcp', 'serial'] }, 'one of "tcp", "serial"'],
  ])('%j is told as %s', (item, expected) => {
    expect(itemType(item)).toBe(expected);
  });
});

describe('what a person types', () => {
  it.each([
    ['80', 'integer', 80],
    ['80', 'string', '80'],
    ['a, b', 'list', ['a', 'b']],
    ['["a"]', 'list', ['a']],
    ['{"a": 1}', 'object', { a: 1 }],
    ['many', 'integer', 'many'],
  ] as const)('%s is for a %s %j', (text, type, expected) => {
    expect(valueOf(text, { type })).toEqual(expected);
  });

  it('is JSON or text where nothing is known', () => {
    expect(valueOf('3', undefined)).toBe(3);
    expect(valueOf('usb', undefined)).toBe('usb');
  });
});
