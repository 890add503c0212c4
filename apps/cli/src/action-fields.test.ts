import { configSet, contracts, pluginLog, type Contract } from '@majordomus/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formsOf, typedValue } from './action-fields.ts';

const all: readonly Contract[] = Object.values(contracts).flat();

describe('the fields of an action', () => {
  it.each(all.map((contract) => [contract.action, contract] as const))('of %s are known, each with its meaning', (_action, contract) => {
    const forms = formsOf(contract);
    expect(forms.length).toBeGreaterThan(0);
    for (const { name, description, type } of forms.flat()) expect({ name, description, type }).toEqual({ name, description: expect.stringMatching(/./), type: expect.stringMatching(/./) });
  });

  it('say what is needed, and what else holds', () => {
    const fields = Object.fromEntries((formsOf(pluginLog)[0] ?? []).map((field) => [field.name, field]));
    expect(fields['id']).toMatchObject({ required: true, type: 'text' });
    expect(fields['lines']).toMatchObject({ required: false, type: 'whole number', default: 50 });
    expect(fields['after']).toMatchObject({ required: false, default: undefined });
  });

  it('are those of each form where there are several', () => {
    expect(formsOf(configSet).map((form) => form.filter(({ required }) => required).map(({ name }) => name))).toEqual([['host', 'plugin', 'data'], ['host', 'plugin', 'key', 'value']]);
  });

  it('have the values that are allowed', () => {
    const contract = { ...configSet, input: z.object({ mode: z.enum(['on', 'off']) }) };
    expect(formsOf(contract)[0]).toMatchObject([{ name: 'mode', values: ['on', 'off'] }]);
  });
});

describe('a typed word', () => {
  it.each([
    ['3', z.number(), 3],
    ['3', z.string(), '3'],
    ['1.0', z.string(), '1.0'],
    ['true', z.boolean(), true],
    ['true', z.string(), 'true'],
    ['[1]', z.array(z.number()), [1]],
    ['usb', z.json(), 'usb'],
    ['"usb"', z.json(), 'usb'],
    ['3', z.json(), 3],
    ['', z.string(), ''],
    // What fits neither way stays what it is, so that the refusal names it.
    ['3', z.boolean(), 3],
  ])('%s for a field is what the field takes', (text, schema, expected) => {
    expect(typedValue(text, schema)).toEqual(expected);
  });
});
