// What is held against a reply, whoever gave it: a refusal needs a code that is known and words for a person, and none of the
// program's own (docs/protocol.md, rules R7, W3). Pure; each judgement is a sentence, or undefined if all is well.
import { busCodes, type Contract } from '@majordomus/contracts';

export interface Reply {
  readonly action: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Words of the engine, of a library, or of a stack, which no caller can do anything with. */
const ofTheProgram: readonly RegExp[] = [
  /\n\s+at .+[:)]/,
  /\b(Type|Reference|Range|Assertion|Zod|Sqlite|Internal)Error\b/,
  /Cannot (read|set) propert|is not (a function|iterable|defined)\b|Maximum call stack|\[object \w+\]|node:internal|Traceback \(most recent call/,
  /(^|[:;] )(Invalid (input|key|option|type|element|ISO|UUID|URL|string|base64|email)|Too (small|big):|Unrecognized key)/,
  /SQLITE_[A-Z]+|ERR_[A-Z_]+/,
];

/** Codes that no service of ours answers with, whatever it was sent. */
const neverCodes: ReadonlySet<string> = new Set(['INTERNAL', 'BAD_REPLY', 'FAILED']);

/** Why a text is not for a person. */
export function wordsProblem(text: string): string | undefined {
  const found = ofTheProgram.find((pattern) => pattern.test(text));
  return found === undefined ? undefined : `it has words of the program (${String(found)}): ${text.slice(0, 500)}`;
}

/** Why a refusal is none that a caller can use. */
export function refusalProblem({ code, reason }: { readonly code?: unknown; readonly reason?: unknown }, known: ReadonlySet<string>): string | undefined {
  if (typeof code !== 'string' || code === '') return `it has no code: ${JSON.stringify(code)}, ${JSON.stringify(reason)}`;
  if (neverCodes.has(code)) return `its code is ${code}: ${JSON.stringify(reason)}`;
  if (!known.has(code)) return `its code ${code} is of no contract and not of the bus: ${JSON.stringify(reason)}`;
  if (typeof reason !== 'string' || reason.trim() === '') return `${code} has no reason`;
  return wordsProblem(reason);
}

/** What is wrong with a reply; with a contract, its form too. */
export function replyProblem(reply: Reply, contract?: Contract): string | undefined {
  const { status, ...rest } = reply.data;
  if (typeof status !== 'boolean') return `its status is ${JSON.stringify(status)}`;
  if (!status) return refusalProblem(rest, codesOf(contract));
  if (contract === undefined) return undefined;
  if (reply.action !== contract.reply) return `its action is ${reply.action} in place of ${contract.reply}`;
  const checked = contract.output.safeParse(reply.data);
  return checked.success ? undefined : `it does not fit its contract: ${checked.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`;
}

const ofTheBus: ReadonlySet<string> = new Set(Object.keys(busCodes));

/** The codes that a refusal of an action may have. */
export function codesOf(contract: Contract | undefined): ReadonlySet<string> {
  return contract === undefined ? ofTheBus : new Set([...ofTheBus, ...Object.keys(contract.errors)]);
}
