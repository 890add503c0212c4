// How busy the bus is: the share of the last seconds in which frames were on it. Pure: it is told the time.
import type { Frame } from './frame.ts';

/** Of the bus (VMB1RS manual). */
const bitsPerSecond = 16_600;
/** A CAN frame with 11 bits of identifier and the pause after it, without its data and stuffed bits (ISO 11898). */
const bitsWithoutData = 47;
const windowSeconds = 10;

export class BusLoad {
  /** Bits by second, of the seconds in the window. */
  readonly #bits = new Map<number, number>();

  add({ data }: Frame, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    this.#bits.set(second, (this.#bits.get(second) ?? 0) + bitsWithoutData + 8 * data.length);
    this.#forgetBefore(second);
  }

  /** Of the last 10 seconds, in percent. */
  percent(nowMs: number): number {
    this.#forgetBefore(Math.floor(nowMs / 1000));
    const bits = [...this.#bits.values()].reduce((sum, some) => sum + some, 0);
    return Math.min(100, Math.round((100 * bits) / (bitsPerSecond * windowSeconds)));
  }

  #forgetBefore(second: number): void {
    for (const old of this.#bits.keys()) if (old <= second - windowSeconds) this.#bits.delete(old);
  }
}
