// What may stand for an argument or an option, by its name in the grammar: `<plugin>` is completed by the plugins of the
// house wherever it stands. A name without a source is completed by nothing.
import type { ConfigurationItem, JsonValue } from '@majordomus/contracts';
import { commonSettings } from '@majordomus/runtime';
import { formsOf, type Field } from '../action-fields.ts';
import { valueText } from '../item-text.ts';
import { ownPluginNames } from '../own-files.ts';
import { ownPrograms } from '../own-programs.ts';
import { loggedParts, partNames } from '../parts.ts';
import { contractOf, contractsOf, isPluginService } from '../service-contracts.ts';
import type { Candidate } from './grammar.ts';
import type { HouseView } from './house-view.ts';

/** Files and folders are the shell's own to complete. */
export type Offer = readonly Candidate[] | 'files' | 'folders';
type Source = (house: HouseView, operands: readonly string[], word: string) => Promise<Offer> | Offer;

const plain = (values: readonly string[], description = ''): Candidate[] => values.map((value) => ({ value, description }));

export const argumentSources: Readonly<Record<string, Source>> = {
  plugin: (house) => plugins(house),
  service: async (house) => [...(await house.services()).map((name) => ({ value: name, description: kindOf(name) })), ...plain(['mmi.service', 'mmi.services'], 'the broker itself')],
  action: (_house, [service = '']) => contractsOf(service).map(({ action, summary }) => ({ value: action, description: summary })),
  data: (house, [service = '', action = '', ...given], word) => dataWords(house, service, action, given, word),
  key: async (house, [plugin = '']) => {
    const [items, values] = await Promise.all([house.items(plugin), house.values(plugin)]);
    return [...new Set([...Object.keys(items), ...Object.keys(values)])].map((value) => ({ value, description: items[value]?.description ?? '' }));
  },
  value: async (house, [plugin = '', key = '']) => valuesOf((await house.items(plugin))[key]),
  part: (_house, _operands, word) => namesOr('folders', [...partNames, ...ownPrograms().keys()], word),
  log: async (house) => {
    const [parts, installed] = await Promise.all([house.parts(), plugins(house)]);
    return [...(parts.length > 0 ? [{ value: 'house', description: 'domus up itself' }, ...parts.map(({ name, state }) => ({ value: name, description: state }))] : plain(loggedParts)), ...installed];
  },
  folder: () => 'folders',
  file: () => 'files',
  notice: async (house) => (await house.notices()).map(({ id, text }) => ({ value: String(id), description: text })),
  source: (_house, _operands, word) => namesOr('files', ownPluginNames(), word),
};

export const optionSources: Readonly<Record<string, Source>> = {
  home: () => 'folders',
  folder: () => 'folders',
  from: () => 'files',
  host: (house) => hosts(house),
  on: (house) => hosts(house),
  to: (house, operands) => changes(house, operands),
  before: (house, operands) => changes(house, operands),
  'log-level': () => plain(commonSettings.logLevel.schema.options),
};

/** Names where one fits, else what the shell finds. */
function namesOr(otherwise: 'files' | 'folders', names: readonly string[], word: string): Offer {
  const fitting = names.filter((name) => name.startsWith(word));
  return fitting.length > 0 ? plain(fitting) : otherwise;
}

/** The changes of a plugin, and of a key where one is given. */
async function changes(house: HouseView, [plugin = '', key]: readonly string[]): Promise<readonly Candidate[]> {
  const known = (await house.changes(plugin)).filter((one) => key === undefined || one.key === key);
  return known.map(({ change, key: changed, old, new: after }) => ({ value: String(change), description: `${changed}: ${saidValue(old)} → ${saidValue(after)}` }));
}

function saidValue(value: JsonValue | undefined): string {
  return value === undefined ? 'not set' : valueText(value);
}

async function hosts(house: HouseView): Promise<readonly Candidate[]> {
  return plain(await house.hosts());
}

/** Those of this host by their names, those of others as `host.name`. */
async function plugins(house: HouseView): Promise<readonly Candidate[]> {
  const [installed, services] = await Promise.all([house.plugins(), house.services()]);
  const elsewhere = services.filter((name) => name.includes('.') && !name.startsWith(`${house.host}.`) && isPluginService(name));
  return [...installed.map(({ name, state }) => ({ value: name, description: state })), ...plain(elsewhere)];
}

function kindOf(service: string): string {
  return isPluginService(service) ? 'plugin' : '';
}

function valuesOf(item: ConfigurationItem | undefined): Candidate[] {
  if (item === undefined) return [];
  const values = item.options ?? (item.type === 'boolean' ? [true, false] : [item.default ?? item.example ?? ''].filter((value) => value !== ''));
  return values.map((value) => ({ value: valueText(value), description: value === item.default ? 'default' : '' }));
}

/** Words such as `command=list`: first the fields that are not given yet, then what may stand in one. */
async function dataWords(house: HouseView, service: string, action: string, given: readonly string[], word: string): Promise<Offer> {
  if (service === 'mmi.service') return plain(await house.services());
  const contract = contractOf(service, action);
  if (contract === undefined || word.startsWith('{')) return [];
  const isCommand = contract.action === 'helper.do';
  const command = isCommand ? given.find((one) => one.startsWith('command='))?.slice('command='.length) : undefined;
  const parameters = command === undefined ? {} : await house.parameters(service, command);
  const fields = formsOf(contract).flat().filter(({ name }) => !(isCommand && name === 'parameters'));
  const mark = word.indexOf('=');
  if (mark < 0) {
    const names = new Map([...fields, ...Object.entries(parameters).map(([name, { description }]) => ({ name, description }))].map(({ name, description }) => [`${name}=`, description]));
    return [...names].filter(([name]) => !given.some((one) => one.startsWith(name))).map(([value, description]) => ({ value, description }));
  }
  const name = word.slice(0, mark);
  const item = parameters[name];
  const values = item === undefined ? await fieldValues(house, service, given, fields.find((field) => field.name === name)) : valuesOf(item);
  return values.map(({ value, description }) => ({ value: `${name}=${value}`, description }));
}

async function fieldValues(house: HouseView, service: string, given: readonly string[], field: Field | undefined): Promise<readonly Candidate[]> {
  if (field === undefined) return [];
  if (field.values.length > 0) return plain(field.values.map(valueText));
  const plugin = given.find((one) => one.startsWith('plugin='))?.slice('plugin='.length) ?? '';
  switch (field.name) {
    case 'command': return plain(await house.commands(service));
    case 'id': case 'plugin': return await plugins(house);
    case 'host': return plain(house.host === undefined ? [] : [house.host]);
    case 'part': return plain(partNames);
    case 'key': return Object.entries(await house.items(plugin)).map(([value, { description }]) => ({ value, description }));
    default: return [];
  }
}
