// The bus as the commands use it: it keeps a line open for as long as the plugin runs, sends frames at a pace that the
// interface bears, keeps the model up to date, and gives who asks a module its answer.
import type { Log, PluginClock } from '@majordomus/plugin';
import { backoffMs } from './backoff.ts';
import { BusLoad } from './bus-load.ts';
import { BusModel, changeText } from './bus-model.ts';
import { deviceName, type Device } from './device.ts';
import { connectionLost, deviceUnreachable } from './failures.ts';
import { encodeFrame, FrameParser } from './frame.ts';
import { LinkError, type Link } from './link.ts';
import { decodeMessage, encodeMessage, type Message } from './message.ts';
import { openLink } from './open-link.ts';
import { SendQueue } from './send-queue.ts';
import { within } from './timing.ts';

export type BusConnection =
  | { readonly state: 'connected'; readonly sinceMs: number }
  | { readonly state: 'connecting' }
  | { readonly state: 'unreachable'; readonly reason: string };

export interface BusOptions {
  readonly device: Device;
  /** From one frame that is sent to the next. */
  readonly paceMs: number;
  readonly log: Log;
  /** What the waits between two tries go by. */
  readonly clock: PluginClock;
  /** Called before the line is opened again; `run` ends there if its signal has fired meanwhile. */
  readonly beforeRetry: () => Promise<void>;
  /** Called when the line is open, and when it is not, with the reason. */
  readonly onConnection: (connection: BusConnection) => void;
}

/** A frame that is not whole after this time is none: on the bus it takes 8 ms. */
const silenceMs = 500;
/** A connection that held so long was a good one: the next try after it comes at once. */
const goodConnectionMs = 5000;
const stopped = 'the plugin stops';

export class Bus {
  readonly device: Device;
  readonly model = new BusModel();
  readonly #options: BusOptions;
  readonly #load = new BusLoad();
  readonly #listeners = new Set<(message: Message) => void>();
  readonly #queue: SendQueue;
  readonly #parser = new FrameParser();
  #silence: NodeJS.Timeout | undefined;
  #link: Link | undefined;
  /** Fires when the line that is open now is lost. */
  #lost = new AbortController();
  #connection: BusConnection = { state: 'connecting' };
  #connections = 0;
  #received = 0;
  #sent = 0;

  constructor(options: BusOptions) {
    this.device = options.device;
    this.#options = options;
    this.#queue = new SendQueue({ paceMs: options.paceMs, isHeld: () => this.model.hold !== undefined });
  }

  get connection(): BusConnection {
    return this.#connection;
  }

  /** What went over the line since the plugin started. */
  get counters() {
    return {
      connections: this.#connections,
      framesReceived: this.#received,
      framesSent: this.#sent,
      framesRejected: this.#parser.rejectedFrames,
      garbageBytes: this.#parser.garbageBytes,
      loadPercent: this.#load.percent(performance.now()),
    };
  }

  /** Opens the line, and opens it again whenever it is lost, until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, beforeRetry } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const end = await this.#connectOnce(signal);
      if (signal.aborted) return;
      this.#tell({ state: 'unreachable', reason: end.reason });
      failures = end.heldMs > goodConnectionMs ? 0 : failures + 1;
      await clock.delay(backoffMs(failures, Math.random), signal).catch(() => {});
      if (!signal.aborted) await beforeRetry();
    }
  }

  /**
   * Sends one message, after what was sent before it. Ended when its bytes are given to the line.
   * @throws ActionFailure DEVICE_UNREACHABLE, CONNECTION_LOST; the signal's reason
   */
  async send(message: Message, signal: AbortSignal): Promise<void> {
    this.#requireLink();
    const { signal: lost } = this.#lost;
    const ended = AbortSignal.any([signal, lost]);
    await this.#queue.turn(encodeMessage(message), ended);
    // The turn was given, and then the line went.
    ended.throwIfAborted();
    this.#write(message);
  }

  /**
   * Sends messages and waits for the first answer that `isAnswer` takes.
   * @returns undefined if there is none within the bound
   * @throws ActionFailure DEVICE_UNREACHABLE, CONNECTION_LOST; the signal's reason
   */
  async ask<M extends Message>(messages: readonly Message[], isAnswer: (message: Message) => message is M, limitMs: number, signal: AbortSignal): Promise<M | undefined> {
    this.#requireLink();
    const { promise, resolve } = Promise.withResolvers<M>();
    const listener = (message: Message): void => {
      if (isAnswer(message)) resolve(message);
    };
    this.#listeners.add(listener);
    try {
      for (const message of messages) await this.send(message, signal);
      return await within(limitMs, promise, AbortSignal.any([signal, this.#lost.signal]));
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Listens to all that is heard; gives what ends it. */
  listen(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One connection from its beginning to its end: why it ended or could not be made, and how long it held. */
  async #connectOnce(signal: AbortSignal): Promise<{ readonly reason: string; readonly heldMs: number }> {
    const ended = Promise.withResolvers<string>();
    const listener = { onBytes: (bytes: Uint8Array) => this.#take(bytes), onClosed: (reason: string) => ended.resolve(reason) };
    try {
      this.#link = await openLink(this.device, listener, signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof LinkError)) throw error;
      return { reason: error instanceof LinkError ? error.message : stopped, heldMs: 0 };
    }
    const startMs = this.#options.clock.monotonicMs();
    this.#begin();
    const stop = (): void => ended.resolve(stopped);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const reason = await ended.promise;
    signal.removeEventListener('abort', stop);
    this.#end(reason);
    return { reason, heldMs: this.#options.clock.monotonicMs() - startMs };
  }

  #begin(): void {
    this.#lost = new AbortController();
    this.#connections += 1;
    this.model.connected();
    this.#tell({ state: 'connected', sinceMs: performance.now() });
    this.#askQuestions();
  }

  #end(reason: string): void {
    this.#link?.close();
    this.#link = undefined;
    clearTimeout(this.#silence);
    this.#parser.reset();
    this.#connection = { state: 'unreachable', reason };
    this.#lost.abort(connectionLost(reason));
  }

  #take(bytes: Uint8Array): void {
    this.#hear(this.#parser.push(bytes));
    this.#watchSilence();
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    if (this.#parser.pendingBytes === 0) return;
    this.#silence = setTimeout(() => {
      this.#hear(this.#parser.giveUp());
      this.#watchSilence();
    }, silenceMs);
  }

  #hear(frames: ReturnType<FrameParser['push']>): void {
    for (const frame of frames) {
      this.#received += 1;
      this.#load.add(frame, performance.now());
      const message = decodeMessage(frame);
      for (const change of this.model.apply(message)) this.#options.log.info(changeText(change));
      this.#queue.look();
      for (const listener of this.#listeners) listener(message);
    }
    if (frames.length > 0) this.#askQuestions();
  }

  /** Nobody waits for these answers; if they are lost with the line, they are asked again on the next. */
  #askQuestions(): void {
    for (const question of this.model.takeQuestions()) this.send(question, this.#lost.signal).catch(() => {});
  }

  #requireLink(): void {
    if (this.#link !== undefined) return;
    const { connection } = this;
    throw deviceUnreachable(connection.state === 'unreachable' ? connection.reason : `${deviceName(this.device)} is not connected yet`);
  }

  #write(message: Message): void {
    const frame = encodeMessage(message);
    this.#link?.write(encodeFrame(frame));
    this.#sent += 1;
    this.#load.add(frame, performance.now());
  }

  #tell(connection: BusConnection): void {
    this.#connection = connection;
    this.#options.onConnection(connection);
  }
}
