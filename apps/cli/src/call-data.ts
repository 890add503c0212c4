// The data of `domus call`: one JSON object, or words such as `plugin=diskfree`, typed by the contract of the action. What
// is needed and missing is asked at a terminal; elsewhere it is told, with an example.
import { configurationProblems, helperHelp, helperList, type ConfigurationItems, type Contract, type JsonObject } from '@majordomus/contracts';
import { type Client, PeerError } from '@majordomus/mq';
import { didYouMean } from '@majordomus/runtime';
import { formsOf, typedValue, type Field } from './action-fields.ts';
import { CommandError } from './failure.ts';
import { itemType, valueOf, valueText } from './item-text.ts';
import { note, table } from './output.ts';
import { typedCommand } from './own-files.ts';
import { ask, canAsk } from './questions.ts';
import { contractOf } from './service-contracts.ts';
import { shellWord } from './shell-word.ts';

export interface CallTarget {
  readonly client: Client;
  readonly service: string;
  readonly action: string;
  /** This host, for an action that takes one. */
  readonly host: string;
  /** How long a question to a plugin, before the call, may take. */
  readonly timeoutMs: number;
  /** Fires when the call is of no use any more. */
  readonly signal: AbortSignal;
}

type Values = Readonly<Record<string, string>>;

/** @throws CommandError BAD_REQUEST, CANCELLED; CallError if a plugin does not say what it needs */
export async function callData(words: readonly string[], target: CallTarget): Promise<JsonObject> {
  const [first = '', ...more] = words;
  if (more.length === 0 && first !== '' && !isAssignment(first)) return parseData(first);
  const given = assignments(words);
  const contract = contractOf(target.service, target.action);
  if (contract === undefined) return typedData(given, []);
  return contract.action === 'helper.do' ? await commandData(given, contract, target) : await actionData(given, contract, target);
}

async function actionData(given: Values, contract: Contract, target: CallTarget): Promise<JsonObject> {
  const forms = formsOf(contract);
  const fitting = forms.filter((fields) => Object.keys(given).every((name) => fields.some((field) => field.name === name)));
  if (fitting.length === 0 && contract.accept === undefined) throw new CommandError('BAD_REQUEST', unknownField(forms, given, target));
  // Most actions have one form. Of several, the one that is given as a whole, else the one that is easiest to type.
  const form = fitting.find((fields) => isWhole(fields, given)) ?? fitting.find((fields) => fields.every(({ type }) => type !== 'JSON object')) ?? fitting[0] ?? [];
  if (isWhole(form, given)) return typedData(given, form);
  if (!canAsk()) throw new CommandError('BAD_REQUEST', needed(form, given, target));
  const all: Record<string, string> = { ...given };
  const isBare = Object.keys(given).length === 0;
  for (const field of form) {
    if (Object.hasOwn(given, field.name) || (!field.required && !isBare)) continue;
    const answer = await ask({
      ...field,
      values: field.values.map((value) => ({ value: valueText(value) })),
      initial: field.name === 'host' ? target.host : undefined,
      otherwise: field.default === undefined ? undefined : valueText(field.default),
      problem: (text) => fieldProblem(field, text),
    });
    if (answer !== undefined) all[field.name] = answer;
  }
  tellSame(target, all);
  return typedData(all, form);
}

/** A command of a plugin: its parameters are words of their own, `command=check path=/`. */
async function commandData(given: Values, contract: Contract, target: CallTarget): Promise<JsonObject> {
  const { service } = target;
  if (given['parameters'] !== undefined) return typedData(given, formsOf(contract)[0] ?? []);
  const isBare = Object.keys(given).length === 0;
  let { command } = given;
  if (command === undefined) {
    const commands = await commandsOf(target);
    if (!canAsk()) throw new CommandError('BAD_REQUEST', `helper.do at ${service} needs a command: ${commands.join(', ')}\nfor example: ${typedCommand} call ${service} helper.do command=${commands[0] ?? 'list'}`);
    command = await ask({ name: 'command', description: 'what it shall do', type: 'text', required: true, values: commands.map((value) => ({ value })) });
  }
  const { command: _command, ...typed } = given;
  if (!isBare && Object.keys(typed).length === 0 && !canAsk()) return { command };
  const items = await parametersOf(target, command ?? '');
  const all: Record<string, string> = { ...typed };
  if (canAsk()) {
    for (const [name, item] of Object.entries(items)) {
      const isRequired = item.required === true && item.default === undefined;
      if (Object.hasOwn(typed, name) || (!isRequired && !isBare)) continue;
      const answer = await ask({
        name,
        description: item.description,
        type: itemType(item),
        required: isRequired,
        secret: item.secret === true,
        values: (item.options ?? (item.type === 'boolean' ? [true, false] : [])).map((value) => ({ value: valueText(value) })),
        otherwise: item.default === undefined ? undefined : valueText(item.default),
        problem: (text) => configurationProblems({ [name]: item }, { [name]: valueOf(text, item) })[name],
      });
      if (answer !== undefined) all[name] = answer;
    }
    const told = Object.entries(all).map(([name, text]) => [name, items[name]?.secret === true ? '…' : text]);
    if (isBare) tellSame(target, { command: command ?? '', ...Object.fromEntries(told) as Values });
  }
  return { command, parameters: Object.fromEntries(Object.entries(all).map(([name, text]) => [name, valueOf(text, items[name])])) };
}

async function commandsOf({ client, service, timeoutMs, signal }: CallTarget): Promise<readonly string[]> {
  return (await client.call(helperList, {}, { service, timeoutMs, signal })).actions;
}

/** None if the plugin refuses to say: then the call itself tells why. */
async function parametersOf({ client, service, timeoutMs, signal }: CallTarget, command: string): Promise<ConfigurationItems> {
  try {
    return (await client.call(helperHelp, { command }, { service, timeoutMs, signal })).parameters;
  } catch (error) {
    if (error instanceof PeerError && error.code !== 'SERVICE_UNKNOWN') return {};
    throw error;
  }
}

function isWhole(fields: readonly Field[], given: Values): boolean {
  return fields.every(({ name, required }) => !required || Object.hasOwn(given, name));
}

function fieldProblem(field: Field, text: string): string | undefined {
  const checked = field.schema.safeParse(typedValue(text, field.schema));
  return checked.success ? undefined : checked.error.issues[0]?.message;
}

function typedData(given: Values, fields: readonly Field[]): JsonObject {
  return Object.fromEntries(Object.entries(given).map(([name, text]) => [name, typedValue(text, fields.find((field) => field.name === name)?.schema)]));
}

function unknownField(forms: readonly (readonly Field[])[], given: Values, { service, action }: CallTarget): string {
  const known = [...new Set(forms.flat().map(({ name }) => name))];
  const unknown = Object.keys(given).find((name) => !known.includes(name)) ?? Object.keys(given).join(' with ');
  const meant = didYouMean(unknown, known);
  return `${action} at ${service} has no field ${unknown}; ${meant === undefined ? `fields: ${known.join(', ') || 'none'}` : `did you mean ${meant}?`}`;
}

function needed(form: readonly Field[], given: Values, { service, action, host }: CallTarget): string {
  const missing = form.filter(({ name, required }) => required && !Object.hasOwn(given, name)).map(({ name }) => name);
  const rows = form.map(({ name, required, type, description, default: fallback }) => [`  ${name}`, type, description, required ? '' : fallback === undefined ? 'may be left out' : `else ${valueText(fallback)}`]);
  const example = form.filter(({ required }) => required).map((field) => shellWord(`${field.name}=${given[field.name] ?? exampleOf(field, host)}`));
  return `${action} at ${service} needs ${missing.join(', ')}\n${table(['  FIELD', 'TYPE', 'WHAT', ''], rows)}\nfor example: ${typedCommand} call ${service} ${action} ${example.join(' ')}`;
}

function exampleOf({ name, type, values }: Field, host: string): string {
  if (values[0] !== undefined) return valueText(values[0]);
  const known: Readonly<Record<string, string>> = { host, plugin: 'diskfree', id: 'diskfree', key: 'limit', value: '80', part: 'broker', command: 'list' };
  return known[name] ?? (type === 'text' ? 'TEXT' : type === 'true or false' ? 'true' : type === 'JSON object' ? '{}' : type === 'JSON list' ? '[]' : '1');
}

/** What a person can type next time. */
function tellSame({ service, action }: CallTarget, values: Values): void {
  note(`the same without questions: ${typedCommand} call ${service} ${action} ${Object.entries(values).map(([name, value]) => shellWord(`${name}=${value}`)).join(' ')}`.trimEnd());
}

function isAssignment(word: string): boolean {
  return /^[A-Za-z][\w.-]*=/.test(word);
}

function assignments(words: readonly string[]): Values {
  const wrong = words.find((word) => !isAssignment(word));
  if (wrong !== undefined) throw new CommandError('BAD_REQUEST', `${wrong} is no data; write name=value for each field, or all of it as one JSON object '{"name": "value"}'`);
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

function parseData(json: string): JsonObject {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw new CommandError('BAD_REQUEST', `the data is not JSON (${cause instanceof Error ? cause.message : String(cause)}); write it as '{"key": "value"}', or as key=value`, { cause });
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new CommandError('BAD_REQUEST', 'the data is not a JSON object; write it as \'{"key": "value"}\', or as key=value');
  return data as JsonObject;
}
