// What a schema has against a value, in words for a person: zod's own are for programmers. A schema's own words stay; where it
// has none, they say what is expected, with an example where there is a form to follow. Pure.
import type { z } from 'zod';

/** What each form of text looks like. */
const forms: Readonly<Record<string, string>> = {
  date: 'must be a date such as 2026-06-21',
  time: 'must be a time of day such as 21:30:00',
  datetime: 'must be a time such as 2026-06-21T21:30:00Z',
  duration: 'must be a duration such as PT1H30M',
  uuid: 'must be a UUID such as 6f8c2a4e-1b7d-4f3a-9c5e-2d1b0a9f8e7d',
  guid: 'must be a UUID such as 6f8c2a4e-1b7d-4f3a-9c5e-2d1b0a9f8e7d',
  url: 'must be an address such as https://example.org/',
  email: 'must be an e-mail address such as ann@example.org',
  ipv4: 'must be an IP address such as 192.0.2.1',
  ipv6: 'must be an IP address such as 2001:db8::1',
  cidrv4: 'must be a network such as 192.0.2.0/24',
  cidrv6: 'must be a network such as 2001:db8::/32',
  mac: 'must be an address such as 00:00:5e:00:53:01',
  hostname: 'must be a host name such as igor.example.org',
  base64: 'must be base64 text such as aGVsbG8=',
  base64url: 'must be base64url text such as aGVsbG8',
};

const ofZod = /^(Invalid|Too small|Too big|Unrecognized)\b/;
/** How much of what is allowed is told. */
const maxOptions = 20;

/** The reason of one issue. */
export function issueWords(issue: z.core.$ZodIssue): string {
  if (!ofZod.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type': return typeWords(issue.expected, issue.message);
    case 'invalid_format': return forms[issue.format] ?? formWords(issue);
    case 'too_small': return boundWords(issue.origin, issue.exact === true ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big': return boundWords(issue.origin, issue.exact === true ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_value': return `must be ${issue.values.length > 1 ? 'one of ' : ''}${listed(issue.values)}`;
    case 'not_multiple_of': return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys': return `has what is not known: ${listed(issue.keys)}`;
    case 'invalid_union': return unionWords(issue);
    case 'invalid_key': return `has a key that is not allowed: ${firstWords(issue.issues)}`;
    case 'invalid_element': return `has an entry that is not allowed: ${firstWords(issue.issues)}`;
    case 'custom': return 'is not allowed';
    default: issue satisfies never;
  }
  return 'is not allowed';
}

function typeWords(expected: string, message: string): string {
  const received = /received (\w+)$/.exec(message)?.[1];
  if (received === 'undefined') return 'is missing';
  if (expected === 'int') return 'must be a whole number';
  return received === undefined ? `must be of type ${expected}` : `must be of type ${expected}, not ${received}`;
}

function formWords({ format, message }: z.core.$ZodIssueInvalidStringFormat): string {
  const must = /must (start with|end with|include|match pattern) (.+)$/.exec(message);
  return must === null ? `must be of the form ${JSON.stringify(format)}` : `must ${String(must[1])} ${String(must[2])}`;
}

function boundWords(origin: string, how: string, bound: number | bigint): string {
  const many = Number(bound) !== 1;
  switch (origin) {
    case 'string': return `must have ${how} ${bound} character${many ? 's' : ''}`;
    case 'array':
    case 'set': return `must have ${how} ${bound} entr${many ? 'ies' : 'y'}`;
    case 'map':
    case 'object': return `must have ${how} ${bound} key${many ? 's' : ''}`;
    case 'file': return `must have ${how} ${bound} byte${many ? 's' : ''}`;
    default: return `must be ${how} ${bound}`;
  }
}

/** The form that came nearest: of its problems the deepest is the one that was meant. */
function unionWords({ errors }: z.core.$ZodIssueInvalidUnion): string {
  const inside = errors.flat().filter(({ path }) => path.length > 0).sort((a, b) => b.path.length - a.path.length)[0];
  const top = [...new Set(errors.flat().filter(({ path }) => path.length === 0).map(issueWords))];
  if (inside !== undefined) return `${inside.path.map(String).join('.')} ${issueWords(inside)}`;
  return top.length === 0 ? 'is none of the forms that are allowed' : top.join(', or ');
}

function firstWords([first]: readonly z.core.$ZodIssue[]): string {
  return first === undefined ? 'nobody says why' : issueWords(first);
}

function listed(values: readonly unknown[]): string {
  const told = values.slice(0, maxOptions).map((value) => (typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value)))).join(', ');
  return values.length > maxOptions ? `${told} and ${values.length - maxOptions} more` : told;
}
