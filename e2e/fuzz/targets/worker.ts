// Frames into a real worker process, from a broker that keeps no rule: dbmanager, which is connected to this process in place of a
// broker. Each request whose envelope can be read has one reply under that envelope (docs/protocol.md, rules W1, W3, W5).
import { join } from 'node:path';
import { contracts } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { Router } from 'zeromq';
import { startProgram, domusScript, type Started } from '../../src/domus.ts';
import { isRunning } from '../../src/processes.ts';
import { until } from '../../src/waiting.ts';
import { Accounts } from '../accounts.ts';
import { command, commands, empty, mdpWorker, mutated, showStack, text, type Stack } from '../frame-stacks.ts';
import { codesOf, replyProblem } from '../judges.ts';
import { measure, settling, type Memory } from '../memory.ts';
import { changed, placesIn } from '../outside.ts';
import type { Site } from '../site.ts';
import { Finding, target, type Subject } from '../target.ts';

const services = 3;
const heartbeatMs = 500;
const answeredLimitMs = 30_000;

const known = contracts.dbmanager;
const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const body: fc.Arbitrary<Buffer[]> = fc.oneof(
  fc.tuple(fc.constantFrom(...known.map(({ action }) => action)), fc.oneof(fc.constantFrom('{}', '{"host":"igor","plugin":"velbus"}', '[]', 'null', '{', '', '{"host":{"__proto__":1}}', `${'['.repeat(5000)}${']'.repeat(5000)}`).map(text), fc.json().map(text), bytes(40)))
    .map(([action, data]) => [text(action), data]),
  fc.array(bytes(20), { maxLength: 4 }),
);
const envelope = fc.array(bytes(12).filter(({ length }) => length > 0), { minLength: 1, maxLength: 3 });
/** A broker that says goodbye is left, and found again after a pause: seldom, for the pause is long. */
const goodbye = 400;

const stack: fc.Arbitrary<Stack> = fc.oneof(
  { weight: goodbye, arbitrary: fc.tuple(envelope, body).map(([to, rest]) => [empty, mdpWorker, command('request'), ...to, empty, ...rest]) },
  { weight: goodbye / 10, arbitrary: envelope.map((to) => [empty, mdpWorker, command('cancel'), ...to, empty]) },
  { weight: goodbye / 10, arbitrary: fc.tuple(fc.nat(255).filter((byte) => byte !== commands.disconnect), bytes(20)).map(([byte, some]) => [empty, mdpWorker, Buffer.from([byte]), some]) },
  { weight: goodbye / 10, arbitrary: fc.array(bytes(30), { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom<Stack>([empty, mdpWorker, command('disconnect')], [mdpWorker, command('disconnect')]) },
);

export const worker = target<Stack>({
  name: 'worker',
  about: 'frames into a real worker process, dbmanager, from a broker that keeps no rule',
  batchSize: 2000,
  testInputs: 20_000,
  input: mutated(stack),
  show: showStack,
  open: async (site) => WorkerSubject.start(site),
});

class WorkerSubject implements Subject<Stack> {
  readonly #site: Site;
  readonly #socket: Router;
  readonly #process: Started;
  readonly #places: ReadonlyMap<string, string>;
  /** The connections that said READY last, by the time they did. */
  #workers: Buffer[] = [];
  #accounts = new Accounts();
  #problem: string | undefined;
  #asked = 0;
  readonly #heartbeats: NodeJS.Timeout;

  static async start(site: Site): Promise<WorkerSubject> {
    const socket = new Router({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0, sendTimeout: 0 });
    await socket.bind('tcp://127.0.0.1:*');
    const subject = new WorkerSubject(site, socket);
    await subject.#judgeService();
    return subject;
  }

  private constructor(site: Site, socket: Router) {
    this.#site = site;
    this.#socket = socket;
    const folder = join(site.inputs, 'worker');
    this.#places = this.#outside();
    this.#process = startProgram(domusScript, ['run', 'dbmanager', '--home', folder, '--broker', socket.lastEndpoint ?? '', '--log-level', 'error'], { env: settling(site.settles) });
    this.#heartbeats = setInterval(() => void this.#toAll([empty, mdpWorker, command('heartbeat')]), heartbeatMs);
    void this.#read();
  }

  async feed(inputs: readonly Stack[]): Promise<void> {
    for (const input of inputs) {
      const message = input.map((frame) => (Buffer.isBuffer(frame) ? frame : empty));
      // Who is told goodbye is not among them any more when it is sent.
      const [to] = this.#workers;
      this.#expect(message);
      await this.#send(message, to);
    }
    await this.#judgeService();
    if (!isRunning(this.#process.pid)) throw new Finding(`dbmanager is down: ${this.#process.stdout()}${this.#process.stderr()}`);
    const problem = this.#problem ?? changed(this.#places, this.#outside());
    if (problem !== undefined) throw new Finding(problem);
    await until('every request has its reply', () => (this.#accounts.isSettled ? true : undefined), { limitMs: answeredLimitMs }).catch((cause: unknown) => {
      throw new Finding(`after ${answeredLimitMs} ms ${this.#accounts.missing}`, { cause });
    });
    if (this.#accounts.problem !== undefined) throw new Finding(this.#accounts.problem);
  }

  async memory(): Promise<readonly Memory[]> {
    return await measure({ dbmanager: this.#process.pid }, this.#site.settles);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#process.child.kill('SIGKILL');
    await this.#process.ended;
    this.#socket.close();
  }

  /** It answers what is right, also when it had to come back first. */
  async #judgeService(): Promise<void> {
    await until('dbmanager answers', async () => {
      if (this.#workers.length < services) return undefined;
      const id = `valid ${(this.#asked += 1)}`;
      this.#accounts.owe(text(id).toString('hex'));
      await this.#send([empty, mdpWorker, command('request'), text(id), empty, text('config.list'), text('{}')], this.#workers[0]);
      const startedMs = performance.now();
      while (this.#accounts.isOwed(text(id).toString('hex')) && performance.now() - startedMs < 1000) await new Promise((resolve) => { setTimeout(resolve, 2); });
      return this.#accounts.isOwed(text(id).toString('hex')) ? undefined : true;
    }, { limitMs: answeredLimitMs }).catch((cause: unknown) => {
      throw new Finding(`dbmanager does not answer a valid request within ${answeredLimitMs} ms: ${this.#process.stdout()}${this.#process.stderr()}`, { cause });
    });
  }

  /** What dbmanager owes for a message. */
  #expect(message: readonly Buffer[]): void {
    const bare = message[0]?.equals(mdpWorker) ?? false;
    if (bare && message.length === 2 && message[1]?.length === 1 && message[1][0] === commands.disconnect) return this.#left();
    const [first, second, kind, ...rest] = message;
    if (first?.length !== 0 || !(second?.equals(mdpWorker) ?? false) || kind?.length !== 1) return;
    if (kind[0] === commands.disconnect) return this.#left();
    const end = rest.findIndex((frame, index) => index > 0 && frame.length === 0);
    if (end < 0) return;
    const key = keyOf(rest.slice(0, end));
    if (kind[0] === commands.cancel) this.#accounts.releaseWhere((owed) => owed === key);
    if (kind[0] === commands.request) this.#accounts.owe(key);
  }

  /** It leaves the connection, and what that connection brought. */
  #left(): void {
    this.#accounts.releaseWhere(() => true);
    this.#workers.shift();
  }

  async #send(message: readonly Buffer[], to: Buffer | undefined): Promise<void> {
    if (to === undefined) {
      this.#accounts.releaseWhere(() => true);
      return;
    }
    await this.#socket.send([to, ...message]).catch(() => {});
  }

  async #toAll(message: readonly Buffer[]): Promise<void> {
    for (const to of this.#workers) await this.#socket.send([to, ...message]).catch(() => {});
  }

  async #read(): Promise<void> {
    for await (const [from = empty, , , kind = empty, ...rest] of this.#socket) {
      if (kind[0] === commands.ready) this.#workers.push(from);
      if (kind[0] !== commands.reply) continue;
      const end = rest.findIndex((frame, index) => index > 0 && frame.length === 0);
      this.#accounts.answered(keyOf(rest.slice(0, end)));
      this.#judgeReply(rest.slice(end + 1));
    }
  }

  #judgeReply([action = empty, data = empty]: readonly Buffer[]): void {
    try {
      const reply = { action: action.toString(), data: JSON.parse(data.toString()) as Readonly<Record<string, unknown>> };
      const { status, code } = reply.data;
      const contract = known.find((one) => one.reply === reply.action && (status === true || codesOf(one).has(String(code))));
      const problem = status === true ? undefined : replyProblem(reply, contract);
      if (problem !== undefined) this.#problem ??= `dbmanager answers so that ${problem}: ${data.toString().slice(0, 500)}`;
    } catch {
      this.#problem ??= `dbmanager answers what is no JSON: ${data.toString().slice(0, 500)}`;
    }
  }

  #outside(): ReadonlyMap<string, string> {
    const { home } = this.#site;
    return placesIn(home.root, [home.folder, this.#site.settles, this.#site.inputs]);
  }
}

function keyOf(envelope: readonly Buffer[]): string {
  return envelope.map((frame) => frame.toString('hex')).join('.');
}
