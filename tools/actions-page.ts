// docs/actions.md, the reference page of every action, made from the contracts. A test keeps the page and the contracts
// the same; `npx -y pnpm docs:actions` writes it.
import { writeFileSync } from 'node:fs';
import { busCodes, contracts, dbmanagerServices, type Contract } from '@majordomus/contracts';
import { fieldsOf, type JsonSchema } from './json-schema-text.ts';

export const actionsPageFile = new URL('../docs/actions.md', import.meta.url);

/** Who answers under which service names. */
const services = {
  dbmanager: `Once in a house, as ${dbmanagerServices.map((name) => `\`${name}\``).join(', ')}.`,
  manager: 'Once on each host, as `<host>.manager`; on the primary host also as `manager`.',
  packagemanager: 'Once on each host, as `<host>.packagemanager`; on the primary host also as `packagemanager`.',
  plugin: 'Every plugin, as `<host>.<plugin>`.',
  house: '`domus up` itself, once on each host, as `<host>.house`.',
} as const satisfies Record<keyof typeof contracts, string>;

const opening = `<!-- Made from libs/contracts by "npx -y pnpm docs:actions"; what is changed here by hand is lost. -->

# Actions

Every action that the parts of a house answer. A request is an action and a JSON object; so is its reply, whose object has
\`status\` (boolean) and \`reason\` (string, empty on success) beside the fields below, and on failure a stable \`code\`
instead of them. [protocol.md](protocol.md) says how they travel. To try one:

\`\`\`
./domus call dbmanager config.list
\`\`\`

An action that is *idempotent* is tried again by itself when the worker or the broker is lost (rule C3).`;

const next = 'Next: [packages](packages.md), how plugins come into a house and change there.\n';

type Listed = Omit<Contract, 'accept'>;

/** The whole page. */
export function actionsPage(): string {
  const shared = new Map<string, JsonSchema>();
  const sections = Object.entries(services).map(([service, where]) => {
    const actions: readonly Listed[] = contracts[service as keyof typeof contracts];
    return [`## ${service}`, where, ...actions.map((action) => actionText(action, shared))].join('\n\n');
  });
  return [opening, ...sections, sharedText(shared), codesText(), next].join('\n\n');
}

function actionText(action: Listed, shared: Map<string, JsonSchema>): string {
  const facts = [
    ...(action.aliases.length > 0 ? [`Also accepted as ${action.aliases.map((alias) => `\`${alias}\``).join(', ')}.`] : []),
    `Answered by \`${action.reply}\`.`,
    action.idempotent ? 'Idempotent.' : 'Not idempotent.',
  ];
  const errors = Object.entries(action.errors);
  return [
    `### ${action.service} \`${action.action}\``,
    action.summary,
    facts.join(' '),
    dataText('Request', schemaOf(action.input, 'input', shared)),
    dataText('Reply', schemaOf(action.output, 'output', shared)),
    ...(errors.length > 0 ? ['**Errors**', table(['code', 'when'], errors.map(([code, meaning]) => [`\`${code}\``, meaning]))] : []),
  ].join('\n\n');
}

/** The schema of a contract; what it shares with others is put into `shared`. */
function schemaOf(schema: Listed['input'], io: 'input' | 'output', shared: Map<string, JsonSchema>): JsonSchema {
  const { $defs = {}, ...own } = schema.toJSONSchema({ io }) as JsonSchema;
  for (const [id, definition] of Object.entries($defs)) if (!id.startsWith('__')) shared.set(id, shared.get(id) ?? definition);
  return own;
}

function dataText(title: string, schema: JsonSchema): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((choice, index) => dataText(index === 0 ? `${title}, either` : 'or', choice)).join('\n\n');
  }
  return fieldsOf(schema).length === 0 ? `**${title}**: nothing.` : `**${title}**\n\n${fieldsTable(schema)}`;
}

function fieldsTable(schema: JsonSchema): string {
  const rows = fieldsOf(schema).map(({ path, type, presence, description }) => [`\`${path}\``, type, presence, description]);
  return table(['field', 'type', '', 'meaning'], rows);
}

function sharedText(shared: ReadonlyMap<string, JsonSchema>): string {
  const sorted = [...shared].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const texts = sorted.map(([id, schema]) => {
    const fields = schema.properties === undefined ? [] : [fieldsTable(schema)];
    return [`### ${id}`, schema.description ?? '', ...fields].join('\n\n');
  });
  return `## Shared types\n\n${texts.join('\n\n')}`;
}

function codesText(): string {
  const rows = Object.entries(busCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return `## Codes of the bus\n\nAny call can end with these, whatever the action.\n\n${table(['code', 'when'], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.main) writeFileSync(actionsPageFile, actionsPage());
