// The command `scan`: every address is asked what is there, and who answers is a module.
import type { Bus } from './bus.ts';
import type { KnownModule } from './bus-model.ts';
import { settled, type Timing } from './timing.ts';
import { busBusy } from './failures.ts';
import { hex } from './module-types.ts';

export type ScannedModule = {
  readonly address: number;
  /** As the switches on the module have it. */
  readonly hexAddress: string;
  readonly type: string;
  readonly name: string;
  readonly relays: number;
  readonly buttons: number;
};

/**
 * Asks the addresses one after the other, at the pace of the bus, and waits a moment for the last answers.
 * A module that was known and is silent twice is known no more.
 * @throws ActionFailure DEVICE_UNREACHABLE, CONNECTION_LOST, BUS_BUSY; the signal's reason
 */
export async function scan(bus: Bus, { from, to }: { readonly from: number; readonly to: number }, timing: Timing, signal: AbortSignal): Promise<ScannedModule[]> {
  const answered = new Set<number>();
  let lastHeardMs = performance.now();
  const endListening = bus.listen((message) => {
    lastHeardMs = performance.now();
    if (message.kind === 'module-type') answered.add(message.address);
  });
  const ask = async (addresses: readonly number[]): Promise<void> => {
    const limit = AbortSignal.timeout(timing.scanLimitMs);
    for (const address of addresses) {
      await bus.send({ kind: 'module-type-request', address }, AbortSignal.any([signal, limit])).catch((error: unknown) => {
        if (!limit.aborted || signal.aborted) throw error;
        throw busBusy(`the scan came only to address ${address} within ${timing.scanLimitMs / 1000} s: the interface takes no more frames (${bus.model.hold ?? 'it is slow'}); try again, or raise pace`);
      });
    }
    const sentMs = performance.now();
    await settled(() => Math.max(sentMs, lastHeardMs) + timing.settleMs, timing.answerMs + timing.settleMs, signal);
  };
  try {
    await ask(range(from, to));
    const silent = knownIn(bus, from, to).filter(({ address }) => !answered.has(address)).map(({ address }) => address);
    if (silent.length > 0) await ask(silent);
  } finally {
    endListening();
  }
  for (const { address } of knownIn(bus, from, to)) if (!answered.has(address)) bus.model.forget(address);
  return knownIn(bus, from, to).map(scanned);
}

function scanned({ address, type, about: { name, relays, buttons } }: KnownModule): ScannedModule {
  return { address, hexAddress: hex(address), type: hex(type), name, relays, buttons };
}

function knownIn(bus: Bus, from: number, to: number): KnownModule[] {
  return bus.model.modules.filter(({ address }) => address >= from && address <= to);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_nothing, index) => from + index);
}
