import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contracts } from './index.ts';
import { issueWords } from './issue-words.ts';

function words(schema: z.ZodType, value: unknown): string {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue === undefined ? 'fits' : issueWords(issue);
}

describe('what a schema refuses is told in words that help', () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ['a day', z.iso.date(), '2026-02-30', 'must be a date such as 2026-06-21'],
    ['a time', z.iso.datetime(), 'now', 'must be a time such as 2026-06-21T21:30:00Z'],
    ['a time of day', z.iso.time(), '25:00', 'must be a time of day such as 21:30:00'],
    ['a duration', z.iso.duration(), '5 minutes', 'must be a duration such as PT1H30M'],
    ['a UUID', z.uuid(), 'x', 'must be a UUID such as 6f8c2a4e-1b7d-4f3a-9c5e-2d1b0a9f8e7d'],
    ['an address', z.url(), 'nowhere', 'must be an address such as https://example.org/'],
    ['an e-mail address', z.email(), 'ann', 'must be an e-mail address such as ann@example.org'],
    ['an IP address', z.ipv4(), '300.1.1.1', 'must be an IP address such as 192.0.2.1'],
    ['base64', z.base64(), '*', 'must be base64 text such as aGVsbG8='],
    ['a beginning', z.string().startsWith('sha512-'), 'x', 'must start with "sha512-"'],
    ['a pattern', z.string().regex(/^[a-z]$/), 'A', 'must match pattern /^[a-z]$/'],
    ['no type', z.number(), 'x', 'must be of type number, not string'],
    ['nothing', z.number(), undefined, 'is missing'],
    ['half a number', z.int(), 1.5, 'must be a whole number'],
    ['too little text', z.string().min(1), '', 'must have at least 1 character'],
    ['too much text', z.string().max(3), 'four', 'must have at most 3 characters'],
    ['too few', z.array(z.string()).min(2), [], 'must have at least 2 entries'],
    ['too small a number', z.number().min(0), -1, 'must be at least 0'],
    ['a number that must be above', z.number().positive(), 0, 'must be more than 0'],
    ['too large a number', z.number().max(5), 6, 'must be at most 5'],
    ['one of', z.enum(['a', 'b']), 'c', 'must be one of "a", "b"'],
    ['one word', z.literal(true), false, 'must be true'],
    ['a multiple', z.number().multipleOf(5), 3, 'must be a multiple of 5'],
    ['one of two types', z.union([z.number(), z.boolean()]), 'x', 'must be of type number, not string, or must be of type boolean, not string'],
    ['one of two forms', z.union([z.object({ at: z.iso.date() }), z.object({ on: z.iso.date() })]), { at: 5 }, 'at must be of type string, not number'],
    ['what the schema says itself', z.uuid('must be the name of an upload'), 'x', 'must be the name of an upload'],
  ])('%s', (_what, schema, value, told) => {
    expect(words(schema, value)).toBe(told);
    expect(words(schema, value)).not.toMatch(/^(Invalid|Too |Unrecognized)/);
  });

  const all: readonly { readonly action: string; readonly input: z.ZodType }[] = Object.values(contracts).flat();

  it.each(all.map((contract) => [contract.action, contract.input] as const))('whatever is asked of %s', (_action, input) => {
    for (const value of [undefined, null, 0, -1.5, '', 'x', [], {}, true]) {
      const fields = (input as { readonly shape?: object }).shape ?? {};
      const data = Object.fromEntries(Object.keys(fields).map((field) => [field, value]));
      for (const issue of input.safeParse(data).error?.issues ?? []) expect(issueWords(issue)).not.toMatch(/Invalid|Too (small|big)|Unrecognized|undefined|\[object/);
    }
  });
});
