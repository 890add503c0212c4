// A worker machine with a fake clock, whose broker is the test.
import { expect } from 'vitest';
import { defaultWorkerOptions, WorkerMachine, type HeldRequest, type WorkerEffect, type WorkerMachineOptions } from '../src/mdp/worker.ts';
import { framesToBroker, readAsMessage } from '../src/wire.ts';
import { frames, texts, type Part } from './broker-driver.ts';

export const HEARTBEAT = ['', 'MDPW01', '\x04'];
export const DISCONNECT = ['', 'MDPW01', '\x05'];

export class WorkerDriver {
  readonly machine: WorkerMachine;
  nowMs = 5000;
  /** Messages that it sent, as text. */
  readonly #sent: string[][] = [];
  readonly delivered: HeldRequest[] = [];
  readonly aborted: string[] = [];
  /** What it did with its socket, and what it said of itself. */
  readonly #did: WorkerEffect['do'][] = [];
  /** How it ended; undefined before. */
  superseded: boolean | undefined;
  #open = false;

  constructor(options: Partial<WorkerMachineOptions> = {}, random = (): number => 0) {
    this.machine = new WorkerMachine({ ...defaultWorkerOptions, service: 'echo', capacity: 4, ...options }, random, this.nowMs);
  }

  /** A machine that is registered at a broker which has spoken. */
  static registered(options: Partial<WorkerMachineOptions> = {}): WorkerDriver {
    const driver = new WorkerDriver(options);
    driver.start();
    driver.connected();
    driver.receive(...HEARTBEAT);
    driver.sent();
    driver.did();
    return driver;
  }

  start(): void {
    this.machine.start();
    this.#collect();
  }

  connected(): void {
    this.machine.connected(this.nowMs);
    this.#collect();
  }

  disconnected(): void {
    this.machine.disconnected(this.nowMs);
    this.#collect();
  }

  receive(...parts: Part[]): void {
    readAsMessage(frames(...parts), (message) => this.machine.receive(message, this.nowMs));
    this.#collect();
  }

  /** More of a message comes, which is not whole. */
  part(): void {
    this.machine.alive(this.nowMs);
    this.#collect();
  }

  request(envelope: string[] = ['token'], body: string[] = ['do', '{}']): HeldRequest {
    this.receive('', 'MDPW01', '\x02', ...envelope, '', ...body);
    const request = this.delivered.at(-1);
    return request ?? expect.unreachable();
  }

  reply(request: HeldRequest, ...body: string[]): void {
    this.machine.reply(request, frames(...body), this.nowMs);
    this.#collect();
  }

  stop(): void {
    this.machine.stop(this.nowMs);
    this.#collect();
  }

  tick(): void {
    this.machine.tick(this.nowMs);
    this.#collect();
  }

  advance(ms: number, brokerBeats = false): void {
    const untilMs = this.nowMs + ms;
    for (let ticks = 0; this.machine.deadlineMs <= untilMs; ticks += 1) {
      if (ticks > 100_000) throw new TypeError('its deadline never moves');
      this.nowMs = Math.max(this.nowMs, this.machine.deadlineMs);
      if (brokerBeats) this.receive(...HEARTBEAT);
      this.tick();
    }
    this.nowMs = untilMs;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  sent(): string[][] {
    return this.#sent.splice(0);
  }

  did(): WorkerEffect['do'][] {
    return this.#did.splice(0);
  }

  #collect(): void {
    for (const effect of this.machine.effects.splice(0)) {
      if (effect.do === 'open' ? this.#open : !this.#open && (effect.do === 'close' || effect.do === 'send')) {
        throw new TypeError(`it wants to ${effect.do} a socket that is ${this.#open ? 'open' : 'closed'}`);
      }
      if (effect.do === 'open' || effect.do === 'close') this.#open = effect.do === 'open';
      switch (effect.do) {
        case 'send': this.#sent.push(texts(framesToBroker(effect.message))); break;
        case 'deliver': this.delivered.push(effect.request); break;
        case 'abort': this.aborted.push(`${effect.why} ${envelopeOf(effect.request).join(' ')}`); break;
        case 'stopped': this.superseded = effect.superseded; this.#did.push('stopped'); break;
        default: this.#did.push(effect.do);
      }
    }
  }
}

/** The envelope that a reply to it has: all between the command and the empty frame. */
function envelopeOf({ head }: HeldRequest): string[] {
  return texts(framesToBroker({ head, body: frames('') })).slice(3, -2);
}
