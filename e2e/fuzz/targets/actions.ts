// JSON into every action of every contract that the house answers, from its schema. Nothing that is asked may harm the machine, or
// start or stop what the house needs: such ids and sources are only those of nobody.
import { contracts, type Contract } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { text } from '../frame-stacks.ts';
import { type FuzzHouse } from '../fuzz-house.ts';
import { replyProblem } from '../judges.ts';
import { jsonFor, type Fitting, type Schema } from '../schema-values.ts';
import { Finding, target, type Subject } from '../target.ts';
import { WireClient } from '../wire-client.ts';

interface Asked {
  readonly part: keyof typeof contracts;
  readonly action: string;
  readonly json: string;
}

const timeoutMs = 8000;
const answeredLimitMs = 30_000;
/** How many are asked at once, so that none waits until its deadline. */
const atOnce = 250;

/** Copies the whole database, and whoever asks takes the copy away: asked for less often. */
const costly = 'backup.make';
/** Actions that change what runs or is installed. */
const changes = /^plugin\.(start|stop|restart|install|upgrade|uninstall|rollback|update)/;
const nobody = fc.stringMatching(/^[a-z]{3}-nobody(-[a-z0-9]{1,5})?$/);
const reads: Fitting = {
  host: fc.constant('igor'), plugin: fc.constantFrom('diskfree', 'velbus', 'fuzzed'), key: fc.constantFrom('limit', 'a', '*', 'x.y'),
  id: fc.constantFrom('diskfree', 'igor.diskfree', 'sysload', 'nobody'), part: fc.constantFrom('broker', 'dbmanager', 'manager'), command: fc.constantFrom('list', 'check', 'read', 'nothing'),
};
// A name or an address would be looked for in the network.
const source = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((rest) => `/nowhere/${rest}`), fc.string({ maxLength: 30 }).map((rest) => `./${rest}`), fc.string({ unit: 'binary', maxLength: 30 }).map((rest) => `upload:${rest}`),
  fc.constantFrom('/', '/dev/null', '/dev/zero', '/proc/self/mem', '/etc/passwd', '/root', '/x.tgz', '/nowhere/../x.tar', '../x', '~', '\0', 'a\nb', 'upload:', ''),
);

/** Who is asked in place of each part; an app that somebody runs beside the house is not. */
const answerers: Readonly<Partial<Record<keyof typeof contracts, readonly string[]>>> = {
  dbmanager: ['dbmanager', 'dbmgr', 'admin'], manager: ['manager'], packagemanager: ['packagemanager'], plugin: ['diskfree'], house: ['house'],
};

const actions = Object.keys(answerers).flatMap((name) => {
  const part = name as keyof typeof contracts;
  // A plugin that is asked to stop does so.
  return contracts[part].filter(({ action }) => part !== 'plugin' || action !== 'plugin.stop').map((contract: Contract) => ({ part, contract }));
});

/** What is asked of an action; `folder` holds nothing that is not there to be harmed. */
function inputOf({ part, contract }: (typeof actions)[number]): fc.Arbitrary<Asked> {
  const schema = contract.input.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as Schema;
  const isChange = changes.test(contract.action);
  const fitting: Fitting = { ...reads, ...(isChange && { id: nobody, source, host: fc.constantFrom('igor', 'nobody'), waitMs: fc.constantFrom(0, 50) }) };
  return jsonFor(schema, fitting).filter((json) => !isChange || isHarmless(json)).map((json) => ({ part, action: contract.action, json }));
}

/** The id and the source of a change name nothing that is there; also after the text was changed, and in any key. */
function isHarmless(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return true;
    const { id, source: from } = value as Readonly<Record<string, unknown>>;
    return (typeof id !== 'string' || !/(diskfree|sysload|velbus)$/.test(id)) && (typeof from !== 'string' || /^([/.~\0]|upload:)/.test(from) || /[\0-\x1f]/.test(from) || from === '');
  } catch {
    return true;
  }
}

export const actionsTarget = target<Asked>({
  name: 'actions',
  about: 'JSON into every action of the house, from the schemas of the contracts',
  batchSize: 1000,
  testInputs: 5000,
  input: fc.oneof(...actions.map((one) => ({ weight: one.contract.action === costly ? 1 : 20, arbitrary: inputOf(one) }))),
  show: ({ part, action, json }) => `${part} ${action} ${json.length > 1000 ? `${json.slice(0, 1000)}… (${json.length} characters)` : json}`,
  open: async (site) => Actions.open(await site.house()),
});

class Actions implements Subject<Asked> {
  readonly #house: FuzzHouse;
  readonly #client: WireClient;

  static async open(house: FuzzHouse): Promise<Actions> {
    await house.withSysload();
    return new Actions(house);
  }

  private constructor(house: FuzzHouse) {
    this.#house = house;
    this.#client = new WireClient(house.house.endpoint);
  }

  async feed(inputs: readonly Asked[]): Promise<void> {
    for (let from = 0; from < inputs.length; from += atOnce) {
      const asked = inputs.slice(from, from + atOnce).flatMap((input, index) => this.#services(input, index).map((service) => ({ ...input, service })));
      const replies = await this.#client.ask(asked.map(({ service, action, json }) => ({ service, body: [text(action), text(json)], timeoutMs })), answeredLimitMs);
      for (const [index, input] of asked.entries()) this.#judge(input, replies[index]?.action ?? '', replies[index]?.rest[0]);
    }
    await this.#house.judge();
  }

  memory(): ReturnType<FuzzHouse['memory']> {
    return this.#house.memory();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  /** One of the names of who answers; plugins are asked all. */
  #services({ part }: Asked, index: number): string[] {
    const { house } = this.#house;
    if (part === 'plugin') return this.#house.plugins.map((name) => house.service(name));
    const names = answerers[part] ?? [];
    const name = names[index % names.length] ?? part;
    return [part === 'dbmanager' ? name : house.service(name)];
  }

  #judge({ part, action, json, service }: Asked & { readonly service: string }, replied: string, frame: Buffer | undefined): void {
    const contract = actions.find((one) => one.part === part && one.contract.action === action)?.contract;
    const shown = (problem: string): Finding => new Finding(`${service} answers ${action} so that ${problem}\n  asked: ${json.slice(0, 2000)}\n  reply: ${frame?.toString().slice(0, 2000)}`);
    let data: unknown;
    try {
      data = JSON.parse(frame?.toString() ?? '');
    } catch {
      throw shown('it is no JSON');
    }
    if (typeof data !== 'object' || data === null) throw shown('it is no object');
    const problem = replyProblem({ action: replied, data: data as Readonly<Record<string, unknown>> }, contract);
    if (problem !== undefined) throw shown(problem);
  }
}
