// One run of chaos: a house, people who use it, blows by a schedule, and witnesses who tell what was broken.
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { checkout } from '../src/domus.ts';
import { Home } from '../src/home.ts';
import type { HouseStatus } from '../src/house.ts';
import { Standstill } from '../src/standstill.ts';
import { writeTallyPlugin } from '../src/tally-plugin.ts';
import { until } from '../src/waiting.ts';
import { strike, type Battlefield } from './blows.ts';
import { BusProxy, freePort } from './bus-proxy.ts';
import { Callers } from './callers.ts';
import { ConfigModel } from './config-model.ts';
import { DeadlineWitness } from './deadlines.ts';
import { AnswerWitness } from './instance-witness.ts';
import { forbiddenLines } from './log-witness.ts';
import { impossible } from './possible.ts';
import { invariants, type Breach, type ChaosResult, type Invariant } from './promises.ts';
import { blowText, roundOf, type Blow, type BlowKind, type Round } from './schedule.ts';
import { StandingHouse } from './standing-house.ts';
import { Tmpfs } from './tmpfs.ts';
import { Watchers } from './watchers.ts';
import type { Complaint } from './waits.ts';
import { untilWhole, type Wholeness } from './wholeness.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** Of these the schedule is made; a blow that this machine cannot do is left out of it, and the others stay as they are. */
  readonly kinds: readonly [BlowKind, ...BlowKind[]];
  readonly roundMs: number;
  /** Whether there is to be another round, after so many and so long. */
  readonly more: (rounds: number, elapsedMs: number) => boolean;
  /** Told what happens, a line each. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

const wholeLimitMs = 5000;
const firstLimitMs = 60_000;
const endLimitMs = 5000;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const leftOut = impossible(options.kinds);
  for (const [kind, why] of leftOut) options.say(`left out: ${kind} (${why})`);
  using disk = options.kinds.includes('full') && !leftOut.has('full') ? Tmpfs.mount() : undefined;
  const notes = mkdtempSync(join(tmpdir(), 'majordomus-chaos-notes-'));
  const home = new Home(checkout, disk?.folder);
  try {
    return await new Run(options, leftOut, home, notes, disk).run();
  } finally {
    rmSync(notes, { recursive: true, force: true });
    await home[Symbol.asyncDispose]();
  }
}

class Run {
  readonly #options: ChaosOptions;
  readonly #leftOut: ReadonlyMap<BlowKind, string>;
  readonly #home: Home;
  readonly #notes: string;
  readonly #disk: Tmpfs | undefined;
  readonly #startMs = performance.now();
  readonly #breaches: Breach[] = [];
  readonly #doubts: string[] = [];
  readonly #blows = new Map<BlowKind, number>();
  readonly #wholes: Wholeness[] = [];
  #host = '';
  #round = 0;

  constructor(options: ChaosOptions, leftOut: ReadonlyMap<BlowKind, string>, home: Home, notes: string, disk: Tmpfs | undefined) {
    this.#options = options;
    this.#leftOut = leftOut;
    this.#home = home;
    this.#notes = notes;
    this.#disk = disk;
  }

  async run(): Promise<ChaosResult> {
    const port = await freePort();
    const endpoint = `tcp://127.0.0.1:${port}`;
    await using proxy = await BusProxy.start(port);
    const house = new StandingHouse(this.#home, endpoint, (text) => {
      for (const line of forbiddenLines(text)) this.#breach('logs', `domus up: ${line}`);
    });
    const model = new ConfigModel();
    const deadlines = new DeadlineWitness();
    const answers = new AnswerWitness();
    using standstill = new Standstill();
    try {
      this.#say('starting a house');
      house.start();
      this.#host = await this.#untilUp();
      const tally = writeTallyPlugin(this.#home, { notes: this.#notes, broker: proxy.endpoint });
      await this.#home.tell('plugin', 'install', 'sysload');
      await this.#home.tell('plugin', 'install', tally.folder);
      const breach = (invariant: Invariant, what: string): void => this.#breach(invariant, what);
      const watchers = new Watchers({ home: this.#home.folder, host: this.#host, endpoint, tally, complain: (invariant, complaint) => this.#complain(invariant, complaint) });
      const callers = new Callers({ seed: this.#options.seed, host: this.#host, endpoints: [endpoint, proxy.endpoint], model, deadlines, answers, standstill, breach });
      try {
        await this.#untilWhole('the house is whole', endpoint, watchers, firstLimitMs);
        const field: Battlefield = { house, disk: this.#disk, proxy, brokerPort: port, processOf: (name) => watchers.process(name) };
        while (this.#goesOn()) {
          this.#round += 1;
          await this.#playRound(roundOf(this.#options, this.#round), field, watchers, callers, endpoint);
        }
        await callers.readAll(endLimitMs);
      } finally {
        await callers.stop();
        await watchers.stop();
      }
      await this.#stopHouse(house);
      this.#checkDatabase();
      const { statuses, commands, longestTwinMs } = watchers.counts;
      return this.#result(callers, {
        writes: `${model.acknowledged} acknowledged writes, ${model.reads} reads`,
        deadlines: `${deadlines.calls} calls, the latest ${Math.max(0, deadlines.latestMs).toFixed(0)} ms after its deadline`,
        instances: `${answers.instances} instances of tally answered, ${commands} commands had their effect; two processes for ${Math.round(longestTwinMs)} ms at most`,
        silence: `asked ${statuses} times`,
        whole: this.#wholeText(),
        database: 'PRAGMA integrity_check at the end',
        stop: `domus up was started ${house.starts} times`,
        logs: 'all logs of the house, and what domus up printed',
      });
    } finally {
      await house.stop();
    }
  }

  #goesOn(): boolean {
    const { more, signal } = this.#options;
    return this.#breaches.length === 0 && this.#doubts.length === 0 && signal?.aborted !== true && more(this.#round, performance.now() - this.#startMs);
  }

  async #playRound({ number, blows: all, renewal }: Round, field: Battlefield, watchers: Watchers, callers: Callers, endpoint: string): Promise<void> {
    const blows = all.filter(({ kind }) => !this.#leftOut.has(kind));
    this.#say(`round ${number}: ${blows.length} blows`);
    const startMs = performance.now();
    const underWay: Promise<void>[] = [];
    for (const blow of blows) {
      await delay(Math.max(0, startMs + blow.atMs - performance.now()));
      if (this.#options.signal?.aborted === true) break;
      this.#blows.set(blow.kind, (this.#blows.get(blow.kind) ?? 0) + 1);
      this.#say(`  ${blowText(blow)}`);
      underWay.push(this.#strike(blow, field));
    }
    await Promise.all(underWay);
    await this.#untilWhole('whole after the last blow', endpoint, watchers, wholeLimitMs);
    await callers.readAll(endLimitMs);
    if (!this.#goesOn()) return;
    if (renewal === 'kill') field.house.kill();
    else {
      await this.#stopHouse(field.house);
      field.house.start();
    }
    await this.#untilWhole(`whole after a new start (${renewal === 'kill' ? 'domus up was killed' : 'it was stopped'})`, endpoint, watchers, wholeLimitMs);
  }

  async #strike(blow: Blow, field: Battlefield): Promise<void> {
    const met = await strike(blow, field);
    if (met !== '') this.#say(`    ${blowText(blow)}: ${met}`);
  }

  /** Until the house answers and all its parts run; gives what its host is called. */
  async #untilUp(): Promise<string> {
    return await until('the house answers', async () => {
      const { code, stdout } = await this.#home.run('status', '--json');
      if (code !== 0) return undefined;
      const { host, parts } = JSON.parse(stdout) as HouseStatus;
      return parts.every(({ state }) => state === 'running') ? host : undefined;
    }, { limitMs: firstLimitMs });
  }

  async #untilWhole(what: string, endpoint: string, watchers: Watchers, limitMs: number): Promise<void> {
    const whole = await untilWhole({ endpoint, host: this.#host, limitMs, waitedSince: (sinceMs) => watchers.waitedSince(sinceMs) });
    const { afterMs, verdict, waitedMs, missing } = whole;
    if (limitMs === wholeLimitMs) this.#wholes.push(whole);
    const waited = `one of its processes waited ${(waitedMs / 1000).toFixed(1)} s for a processor`;
    this.#say(`  ${what}: ${afterMs === null ? 'not' : `${(afterMs / 1000).toFixed(1)} s`} (${waited})`);
    if (verdict !== 'held') this.#complain('whole', { verdict, what: `${what}: ${afterMs === null ? `not after ${limitMs / 1000} s, for ${missing}` : `only after ${(afterMs / 1000).toFixed(1)} s`}; ${waited}` });
  }

  async #stopHouse(house: StandingHouse): Promise<void> {
    const wrong = await house.stop();
    if (wrong !== undefined) this.#breach('stop', wrong);
    const left = await untilNone(() => this.#home.leftovers().filter(({ command }) => !command.startsWith('strace ')));
    if (left.length > 0) this.#breach('stop', `left behind: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
  }

  #checkDatabase(): void {
    using database = new Closing(join(this.#home.folder, 'db', 'majordomus.sqlite'));
    const said = database.sqlite.prepare('PRAGMA integrity_check').all().map((row) => String(row['integrity_check']));
    if (said.join() !== 'ok') this.#breach('database', said.join('; '));
  }

  #complain(invariant: Invariant, { verdict, what }: Complaint): void {
    if (verdict === 'broken') return this.#breach(invariant, what);
    this.#doubts.push(`${invariants[invariant]}: ${what}`);
    this.#say(`not proved, the machine gave no processor: ${what}`);
  }

  #breach(invariant: Invariant, what: string): void {
    // One fault is often seen again and again.
    if (this.#breaches.filter((breach) => breach.invariant === invariant).length >= 5) return;
    this.#breaches.push({ invariant, what, atMs: performance.now() - this.#startMs, round: this.#round });
    this.#say(`BROKEN: ${invariants[invariant]}: ${what}`);
  }

  #result(callers: Callers, checked: ChaosResult['checked']): ChaosResult {
    return {
      breaches: this.#breaches, doubts: this.#doubts, rounds: this.#round, blows: this.#blows, checked, ends: callers.ends,
      elapsedMs: performance.now() - this.#startMs, evidence: this.#breaches.length === 0 ? undefined : this.#keepEvidence(),
    };
  }

  #keepEvidence(): string {
    const folder = mkdtempSync(join(tmpdir(), `majordomus-chaos-seed-${this.#options.seed}-`));
    for (const kept of ['logs', 'db']) cpSync(join(this.#home.folder, kept), join(folder, kept), { recursive: true });
    mkdirSync(join(folder, 'notes'));
    for (const note of ['commands', 'marks']) if (existsSync(join(this.#notes, note))) copyFileSync(join(this.#notes, note), join(folder, 'notes', note));
    return folder;
  }

  #wholeText(): string {
    const times = this.#wholes.flatMap(({ afterMs }) => (afterMs === null ? [] : [afterMs / 1000])).sort((a, b) => a - b);
    const shown = (seconds: number | undefined): string => `${(seconds ?? 0).toFixed(1)} s`;
    return `${this.#wholes.length} times; median ${shown(times[Math.floor(times.length / 2)])}, longest ${shown(times.at(-1))}`;
  }

  #say(line: string): void {
    this.#options.say(`${((performance.now() - this.#startMs) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  }
}

/** A database that is closed with its block. */
class Closing implements Disposable {
  readonly sqlite: DatabaseSync;

  constructor(path: string) {
    this.sqlite = new DatabaseSync(path);
  }

  [Symbol.dispose](): void {
    this.sqlite.close();
  }
}

async function untilNone<T>(find: () => readonly T[]): Promise<readonly T[]> {
  const untilMs = performance.now() + endLimitMs;
  for (;;) {
    const found = find();
    if (found.length === 0 || performance.now() > untilMs) return found;
    await delay(50);
  }
}
