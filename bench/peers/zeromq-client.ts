// A client on zeromq.js as fast as it can be: one DEALER, synchronous sends (`sendTimeout: 0`), no promise for each request, and
// the next request out of the answer to the one before. Its number in the body tells which request is answered.
import { Dealer } from 'zeromq';
import { options, service } from './options.ts';
import { Tally } from './tally.ts';

const silenceLimitMs = 10_000;
const digits = 16;
const socket = new Dealer({ linger: 0, sendTimeout: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0, receiveTimeout: silenceLimitMs });
const [empty, header, name] = [Buffer.alloc(0), Buffer.from('MDPC01'), Buffer.from(service)];
const text = 'x'.repeat(84);
const open = new Map<number, number>();

socket.connect(options.endpoint);
const tally = new Tally();

function send(): void {
  const number = tally.sent();
  open.set(number, performance.now());
  void socket.send([empty, header, name, Buffer.from(`${String(number).padStart(digits, '0')}${text}`, 'latin1')]);
}

function take(frames: readonly Buffer[]): void {
  const body = frames[3]?.toString('latin1') ?? '';
  const number = Number(body.slice(0, digits));
  const sentMs = open.get(number);
  open.delete(number);
  tally.answered(sentMs ?? 0, sentMs !== undefined && body.length === digits + text.length && body.endsWith(text));
  if (tally.goesOn) send();
}

function end(): void {
  tally.print(open.size);
  process.exit();
}

function step(frames: readonly Buffer[]): void {
  take(frames);
  if (open.size === 0) end();
  else void socket.receive().then(step, end);
}

for (let first = 0; first < options.window; first++) send();
void socket.receive().then(step, end);
