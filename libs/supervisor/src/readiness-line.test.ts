import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReadiness } from './readiness-line.ts';

describe('a line on file descriptor 3', () => {
  it.each([
    ['{"state":"starting"}', { state: 'starting' }],
    ['{"state":"alive"}', { state: 'alive' }],
    ['{"state":"alive","more":1}', { state: 'alive' }],
    ['{"state":"ready"}', { state: 'ready' }],
    ['{"state":"ready","facts":{"endpoint":"tcp://127.0.0.1:1"}}', { state: 'ready', facts: { endpoint: 'tcp://127.0.0.1:1' } }],
    ['{"state":"not-ready","reason":"no gateway"}', { state: 'not-ready', reason: 'no gateway' }],
  ])('%s is a message', (line, message) => {
    expect(parseReadiness(line)).toEqual(message);
  });

  it.each(['', 'ready', '{"state":"ready"', 'null', '[]', '"ready"', '{}', '{"state":"dead"}', '{"state":"not-ready"}', '{"state":"not-ready","reason":7}', '{"state":"ready","facts":{"port":1}}', '{"state":"ready","facts":["a"]}', '{"state":"ready","facts":null}'])(
    '%s is none',
    (line) => {
      expect(parseReadiness(line)).toBeUndefined();
    },
  );

  it('has a reason that is safe to show, and not too long', () => {
    expect(parseReadiness('{"state":"not-ready","reason":"\\u001b[2Jgone"}')).toEqual({ state: 'not-ready', reason: String.raw`\x1b[2Jgone` });
    const message = parseReadiness(JSON.stringify({ state: 'not-ready', reason: 'x'.repeat(4000) }));
    expect(message?.state === 'not-ready' && message.reason.length).toBeLessThan(600);
  });

  it('never throws, whatever it is', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.record({ state: fc.constantFrom('ready', 'not-ready', 'alive'), facts: fc.jsonValue(), reason: fc.jsonValue() }).map((value) => JSON.stringify(value))), (line) => {
      const message = parseReadiness(line);
      expect(message === undefined || ['starting', 'alive', 'ready', 'not-ready'].includes(message.state)).toBe(true);
    }));
  });
});
