import type { ConfigurationItems, JsonValue } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeOf, editedText, marked, shownValues, unmarked, type Values } from './edited-text.ts';

const items: ConfigurationItems = {
  protocol: { type: 'string', description: 'How it speaks', default: 'tcp', options: ['tcp', 'serial'] },
  port: { type: 'integer', description: 'Where it listens', default: 6000, min: 1, max: 65_535 },
  device: { type: 'string', description: 'The serial device', example: '/dev/ttyUSB0', required: true },
  token: { type: 'string', description: 'What it is let in by', example: 'abc', secret: true },
};

/** The change that an edit of this text comes to. */
function edit(values: Values, change: (text: string) => string, of = items): ReturnType<typeof changeOf> {
  return changeOf(change(editedText('velbus on igor', of, values)), shownValues(of, values));
}

describe('the text', () => {
  it('describes each item, and shows what is not set as a comment with its default', () => {
    expect(editedText('velbus on igor', items, { port: 7000 })).toBe(`# The configuration of velbus on igor. Save and close to set it: all of it or, if something is wrong, nothing.
# A line that begins with "#" sets nothing: take the "#" away to set its value. Take a line away to forget its value.

# How it speaks
# one of "tcp", "serial", default "tcp"
#protocol = "tcp"

# Where it listens
# whole number, 1 to 65535, default 6000
port = 7000

# The serial device
# text, needed
#device = "/dev/ttyUSB0"

# What it is let in by
# text
# secret: it is not set
#token = ""
`);
  });

  it('never has a secret in it', () => {
    const text = editedText('velbus on igor', items, { token: 'hunter2' });
    expect(text).not.toContain('hunter2');
    expect(text).toContain('it is set, and not shown');
  });

  it('shows what is set and not in the schema, and says what cannot be shown', () => {
    const text = editedText('velbus on igor', items, { old: [1, 'two'], nothing: null });
    expect(text).toContain('# The plugin does not know what follows.\nold = [1, "two"]\n# nothing is set, and cannot be shown here');
  });
});

describe('an edit', () => {
  it('sets what was changed and what was added, and nothing else', () => {
    expect(edit({ port: 7000, device: '/dev/a' }, (text) => text.replace('port = 7000', 'port = 8000').replace('#protocol = "tcp"', 'protocol = "tcp"'))).toEqual({ set: { port: 8000, protocol: 'tcp' }, forget: [] });
  });

  it('forgets what was taken away', () => {
    expect(edit({ port: 7000, device: '/dev/a' }, (text) => text.replace('port = 7000\n', ''))).toEqual({ set: {}, forget: ['port'] });
  });

  it('neither forgets nor sets a secret that was left alone, and sets one that was written', () => {
    expect(edit({ token: 'hunter2' }, (text) => text)).toEqual({ set: {}, forget: [] });
    expect(edit({ token: 'hunter2' }, (text) => text.replace('#token = ""', 'token = "new"'))).toEqual({ set: { token: 'new' }, forget: [] });
  });

  it.each([
    ['port = = 1', { 'line 10, column 8': 'invalid value' }],
    ['port = nan', { port: 'must be text, a number, true or false, a list or an object' }],
  ])('that is wrong, %s, says where', (line, problems) => {
    expect(edit({ port: 7000 }, (text) => text.replace('port = 7000', line).replace(/^#(?! )/gm, '# '))).toEqual({ problems });
  });

  it('takes a date as text', () => {
    expect(edit({}, (text) => `${text}since = 2026-11-22\n`)).toEqual({ set: { since: '2026-11-22' }, forget: [] });
  });

  it('that changes nothing is no change, whatever is set', () => {
    const key = fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/), fc.constantFrom('__proto__', 'toString', 'port', 'device'));
    fc.assert(fc.property(fc.dictionary(key, fc.jsonValue().map((value) => value as JsonValue)), (values) => {
      expect(edit(values, (text) => text)).toEqual({ set: {}, forget: [] });
    }));
  });
});

describe('what is wrong with a text', () => {
  const text = editedText('velbus on igor', items, { port: 7000 });

  it('stands at its beginning, and goes away again', () => {
    const once = marked(text, 'Nothing was set:', { port: 'must be at most 65535, not 70000' });
    expect(once).toMatch(/^#! Nothing was set:\n#! {3}port: must be at most 65535, not 70000\n# The configuration of/);
    const twice = marked(once, 'Nothing was set:', { device: 'is missing' });
    expect(twice).not.toContain('70000');
    expect(unmarked(twice)).toBe(text);
  });

  it('names the line in which it will stand, again and again', () => {
    let shown = text.replace('port = 7000', 'port = = 7000');
    for (const others of [{}, { port: 'is wrong', device: 'is missing' }, {}]) {
      const found = changeOf(shown, {});
      shown = marked(shown, 'Nothing was set:', { ...('problems' in found ? found.problems : expect.unreachable()), ...others });
      expect(shown.split('\n')[Number(/line (\d+)/.exec(shown)?.[1]) - 1]).toBe('port = = 7000');
    }
  });
});
