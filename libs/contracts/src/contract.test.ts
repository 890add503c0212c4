// What holds for every action of the house, and that a handler and a caller cannot disagree and compile.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { contract, replyAction, type CodeOf, type Contract, type InputOf, type OutputOf, type RequestOf, type ResultOf } from './contract.ts';
import {
  busCodes, contracts, type configGet, type helperDo, type JsonValue, type pluginInstall, type pluginLog, type stopPlugin,
} from './index.ts';

const all: readonly Omit<Contract, 'accept'>[] = Object.values(contracts).flat();

describe('the reply to an action', () => {
  it.each([
    ['config.get', 'config.result'],
    ['foo.this.do', 'foo.this.result'],
    ['plugin.start', 'plugin.start.result'],
    ['plugin.start.do', 'plugin.start.result'],
    ['getter.forget', 'getter.forget.result'],
    ['do.do', 'do.result'],
  ])('to %s is %s', (action, reply) => {
    expect(replyAction(action)).toBe(reply);
  });

  it('is stated by a contract when the rule does not give it', () => {
    const definition = { service: 's', action: 'a.get', summary: 'S.', input: z.object({}), output: z.object({}) };
    expect(contract(definition).reply).toBe('a.result');
    expect(contract({ ...definition, reply: 'b.result' }).reply).toBe('b.result');
  });
});

describe('a contract', () => {
  it('has nothing that it does not state: no other names, no codes of its own, not idempotent', () => {
    const definition = { service: 's', action: 'a', summary: 'S.', input: z.object({}), output: z.object({}) };
    expect(contract(definition)).toMatchObject({ aliases: [], errors: {}, idempotent: false });
  });

  it.each(Object.entries(contracts))('of %s stands with its service', (service, actions) => {
    expect(new Set(actions.map((action) => action.service))).toEqual(new Set([service]));
  });

  it.each(Object.entries(contracts))('of %s is the only one with its names', (_service, actions) => {
    const names = actions.flatMap(({ action, aliases }) => [action, ...aliases]);
    expect(names).toHaveLength(new Set(names).size);
  });

  it.each(all)('names what it does: $service $action', ({ action, aliases, reply, summary }) => {
    expect(action).toMatch(/^[a-z]+\.[a-z]+$/);
    expect(reply).toMatch(/^[a-z]+(\.[a-z]+)?\.result$/);
    expect(reply.split('.')[0]).toBe(action.split('.')[0]);
    for (const alias of aliases) {
      expect([`${action}.do`, `${action}.get`]).toContain(alias);
      expect(replyAction(alias)).toBe(reply);
    }
    expect(summary).toMatch(/^[A-Z].*\.$/);
  });

  it.each(all)('has codes of its own, each with its meaning: $service $action', ({ errors }) => {
    for (const [code, meaning] of Object.entries(errors)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(Object.keys(busCodes)).not.toContain(code);
      expect(meaning).toMatch(/[.?]$/);
    }
  });

  it.each(all)('says in JSON Schema what it takes and gives: $service $action', ({ input, output }) => {
    for (const schema of [input.toJSONSchema({ io: 'input' }), output.toJSONSchema({ io: 'output' })]) {
      for (const choice of schema.anyOf ?? [schema]) expect(choice).toMatchObject({ type: 'object', properties: expect.any(Object) });
    }
  });

  it.each(all)('gives no field that every reply has already: $service $action', ({ output }) => {
    const schema = output.toJSONSchema({ io: 'output' });
    const names = (schema.anyOf ?? [schema]).flatMap((choice) => Object.keys((choice as { properties: object }).properties));
    for (const taken of ['status', 'reason', 'code']) expect(names).not.toContain(taken);
  });
});

describe('the types of a contract', () => {
  type Handler<C extends Contract> = (data: RequestOf<C>) => ResultOf<C>;

  it('are those of its schemas', () => {
    expectTypeOf<RequestOf<typeof configGet>>().toEqualTypeOf<{ host: string; plugin: string; key?: string | undefined; reveal?: boolean | undefined; by?: string | undefined }>();
    expectTypeOf<OutputOf<typeof pluginLog>>().toEqualTypeOf<{ lines: string[]; next: number; id: string }>();
    expectTypeOf<CodeOf<typeof helperDo>>().toEqualTypeOf<'COMMAND_UNKNOWN' | 'PARAMETERS_INVALID' | 'COMMAND_FAILED'>();
    expectTypeOf<CodeOf<typeof stopPlugin>>().toEqualTypeOf<never>();
  });

  it('know the action by its name, so that a list of contracts can be told apart', () => {
    expectTypeOf<(typeof configGet)['action']>().toEqualTypeOf<'config.get'>();
    expectTypeOf<Extract<(typeof contracts.dbmanager)[number], { action: 'config.get' }>>().toEqualTypeOf<typeof configGet>();
  });

  it('let a caller leave out what has a default, and give it to the handler', () => {
    expectTypeOf<{ source: string }>().toExtend<InputOf<typeof pluginInstall>>();
    expectTypeOf<RequestOf<typeof pluginInstall>['waitMs']>().toEqualTypeOf<number>();
    expectTypeOf<RequestOf<typeof helperDo>['parameters']>().toEqualTypeOf<Record<string, JsonValue>>();
  });

  it('refuse a caller who leaves out a field, or gives a wrong one', () => {
    expectTypeOf<{ host: string }>().not.toExtend<InputOf<typeof configGet>>();
    expectTypeOf<{ host: string; plugin: number }>().not.toExtend<InputOf<typeof configGet>>();
    expectTypeOf<{ source: string; waitMs: string }>().not.toExtend<InputOf<typeof pluginInstall>>();
  });

  it('refuse a handler that returns too little or something else, or wants what no caller gives', () => {
    expectTypeOf<(data: { id: string; lines: number }) => { lines: string[]; next: number; id: string }>().toExtend<Handler<typeof pluginLog>>();
    expectTypeOf<() => { lines: string[]; id: string }>().not.toExtend<Handler<typeof pluginLog>>();
    expectTypeOf<() => { lines: string; next: number; id: string }>().not.toExtend<Handler<typeof pluginLog>>();
    expectTypeOf<(data: { file: string }) => { lines: string[]; next: number; id: string }>().not.toExtend<Handler<typeof pluginLog>>();
  });
});
