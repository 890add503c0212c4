// A client machine with a fake clock, whose broker is the test.
import { ClientMachine, type CallOutcome, type Dialect, type OpenCall, type Unsendable } from '../src/mdp/client.ts';
import { framesToBroker, readAsMessage } from '../src/wire.ts';
import { frames, texts, toBroker, type Part } from './broker-driver.ts';

export class ClientDriver {
  readonly machine: ClientMachine;
  nowMs = 5000;
  readonly #sent: string[][] = [];
  readonly #did: string[] = [];
  #open = false;
  /** How each call ended, by the name that the test gave it. */
  readonly outcomes: Record<string, string> = {};

  constructor(dialect: Dialect = 'majordomus', share = 10, random = (): number => 0) {
    this.machine = new ClientMachine({ dialect, share }, random);
    this.machine.start();
    this.#collect();
  }

  static connected(dialect: Dialect = 'majordomus', share = 10): ClientDriver {
    const driver = new ClientDriver(dialect, share);
    driver.connected();
    driver.did();
    return driver;
  }

  connected(): void {
    this.machine.connected(this.nowMs);
    this.#collect();
  }

  disconnected(): void {
    this.machine.disconnected(this.nowMs);
    this.#collect();
  }

  call(name: string, timeoutMs = 10_000, service = 'echo', body: readonly string[] = ['do', '{}']): OpenCall {
    const settle = (outcome: CallOutcome): void => {
      if (this.outcomes[name] !== undefined) throw new TypeError(`${name} ended twice`);
      this.outcomes[name] = outcome.kind === 'reply' ? texts(outcome.message.frames(outcome.bodyAt)).join(' ') : outcome.code;
    };
    const call = this.machine.call(Buffer.from(service), frames(...body), this.nowMs + timeoutMs, settle, this.nowMs);
    this.#collect();
    return call;
  }

  cancel(call: OpenCall): void {
    this.machine.cancel(call, this.nowMs);
    this.#collect();
  }

  /** A reply under a correlation id, as hex; none in the plain dialect. */
  reply(id: string | undefined, ...body: Part[]): void {
    this.receive(...(id === undefined ? [] : [Buffer.from(id, 'latin1')]), '', 'MDPC01', 'echo', ...body);
  }

  receive(...parts: Part[]): void {
    readAsMessage(frames(...parts), (message) => {
      this.machine.receive(message);
      this.#collect();
    });
  }

  /** The transport could not send this message. */
  unsendable(message: readonly string[], why: Unsendable = 'closed'): void {
    this.machine.unsendable(toBroker(...message), why);
    this.#collect();
  }

  end(): void {
    this.machine.end();
    this.#collect();
  }

  tick(): void {
    this.machine.tick(this.nowMs);
    this.#collect();
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let ticks = 0; this.machine.deadlineMs <= untilMs; ticks += 1) {
      if (ticks > 100_000) throw new TypeError('its deadline never moves');
      this.nowMs = Math.max(this.nowMs, this.machine.deadlineMs);
      this.tick();
    }
    this.nowMs = untilMs;
  }

  sent(): string[][] {
    return this.#sent.splice(0);
  }

  did(): string[] {
    return this.#did.splice(0);
  }

  #collect(): void {
    for (const effect of this.machine.effects.splice(0)) {
      switch (effect.do) {
        case 'settle': effect.call.settle(effect.outcome); break;
        case 'send':
          if (!this.#open) throw new TypeError('it sends over a closed socket');
          this.#sent.push(texts(framesToBroker(effect.message)));
          break;
        default:
          if (this.#open === (effect.do === 'open')) throw new TypeError(`it wants to ${effect.do} a socket twice`);
          this.#open = effect.do === 'open';
          this.#did.push(effect.do);
      }
    }
  }
}
