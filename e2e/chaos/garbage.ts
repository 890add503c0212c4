// Peers that send nonsense to the broker: at the level of bytes, of ZMTP (RFC 37), and of MDP.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../src/random.ts';
import type { garbageKinds } from './schedule.ts';

const connectLimitMs = 500;
/** How long a peer stays after its nonsense, so that the broker has something to read and to give up. */
const stayMs = 300;

const greeting = Buffer.alloc(64);
greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
greeting.write('NULL', 12);

/** A READY command that names a DEALER. */
const ready = Buffer.concat([Buffer.from([4, 28]), Buffer.from([5]), Buffer.from('READY'), Buffer.from([11]), Buffer.from('Socket-Type'), Buffer.from([0, 0, 0, 6]), Buffer.from('DEALER')]);
ready[1] = ready.length - 2;

/** Each connection sends its nonsense, and goes. Resolves when all have gone; a broker that is down is no fault. */
export async function sendGarbage(port: number, what: (typeof garbageKinds)[number], connections: number): Promise<void> {
  await Promise.all(Array.from({ length: connections }, (_none, index) => one(port, bytesOf(what, new Random(index + 1)))));
}

function bytesOf(what: (typeof garbageKinds)[number], random: Random): Buffer {
  switch (what) {
    case 'bytes':
      return noise(random, random.between(1, 5000));
    case 'half a greeting':
      return greeting.subarray(0, random.between(1, 63));
    case 'wrong frames':
      return Buffer.concat([greeting, ready, ...Array.from({ length: 20 }, () => message(random))]);
    case 'a frame without end':
      return Buffer.concat([greeting, ready, Buffer.from([2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), noise(random, 2000)]);
    default:
      return what satisfies never;
  }
}

/** Some frames that are no MDP, now and then with the header of a client or a worker. */
function message(random: Random): Buffer {
  const frames = Array.from({ length: random.between(1, 6) }, () => {
    const text = random.pick(['', 'MDPC01', 'MDPW01', '\u0001', '\u0003', '\u0006', '{"action":', 'x'.repeat(random.between(0, 200))]);
    return Buffer.from(text);
  });
  return Buffer.concat(frames.flatMap((frame, index) => [Buffer.from([index === frames.length - 1 ? 0 : 1, frame.length]), frame]));
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

async function one(port: number, bytes: Buffer): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectLimitMs) });
    socket.write(bytes);
    await Promise.race([delay(stayMs), closed]);
  } catch {
    // It is down, or has hung up.
  }
  socket.resetAndDestroy();
}
