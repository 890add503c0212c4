// Messages of the protocol as stacks of frames, valid ones and what becomes of them: frames dropped, doubled, swapped, cut,
// grown, huge, empty, of another kind (docs/protocol.md, "Frames").
import * as fc from 'fast-check';

/** A frame; or the token of a request that some worker was handed, with something added to its last byte. */
export type StackFrame = Buffer | { readonly token: number; readonly add: number };
export type Stack = readonly StackFrame[];

export const text = (value: string): Buffer => Buffer.from(value);
export const empty = Buffer.alloc(0);
export const mdpClient = text('MDPC01');
export const mdpWorker = text('MDPW01');
export const commands = { ready: 1, request: 2, reply: 3, heartbeat: 4, disconnect: 5, cancel: 6 } as const;
export const command = (name: keyof typeof commands): Buffer => Buffer.from([commands[name]]);

/**
 * Stands at the beginning of each service that workers of the fuzz offer, for digits that change every now and then: the broker
 * remembers the epoch of a service (rule R15), and a name that has got a high one can be offered by few from then on.
 */
const season = '@@@@@@';
/** Services that workers of the fuzz offer; those of the house are left to the house. */
const hostileServices = ['hostile', 'hostile.two', 'ünïcode', 'with, comma', 'x'.repeat(255 - season.length)].map((name) => text(season + name));
/** Such that belong to the highest epoch. */
const epochServices = ['of an epoch', 'of another'].map((name) => text(season + name));

/** The message of a season; what is no name of the fuzz stays as it is. */
export function inSeason(message: readonly Buffer[], number: number): Buffer[] {
  const digits = text(String(number).padStart(season.length, '0').slice(-season.length));
  return message.map((frame) => {
    const at = frame.indexOf(season);
    return at < 0 ? frame : Buffer.concat([frame.subarray(0, at), digits, frame.subarray(at + season.length)]);
  });
}

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const filled = fc.tuple(fc.constantFrom(255, 256, 1024, 1025, 4096, 8193, 70_000), fc.nat(255)).map(([size, byte]) => Buffer.alloc(size, byte));
const timeout = fc.constantFrom('0', '0.05', '0.5', '1', '2.5', '10', '3600', '9999999999', 'None', 'none', '-1', '1e3', '0x10', ' 1', '1.', '.5', '1.0000000000', '99999999999', '').map(text);

/** Bodies, some of which the house understands. */
const body: fc.Arbitrary<Buffer[]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(['config.list', '{}'], ['config.get', '{"host":"igor","plugin":"velbus"}'], ['plugin.list', '{}'], ['package.list', '{}'], ['no.such.action', '{}'], ['config.get', '{"host":3}'], ['echo', '{"a":1}'])
    .map((parts) => parts.map(text)),
  fc.tuple(bytes(12), bytes(40)).map((frames) => [...frames]),
  fc.array(bytes(6), { maxLength: 5 }),
  filled.map((frame) => [text('config.set'), frame]),
);

const address = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }).map((array) => Buffer.from(array)), { maxLength: 9 });

/** What a client sends. `services` are those that it asks. */
export function clientStack(services: readonly string[]): fc.Arbitrary<Stack> {
  const asked = fc.constantFrom(...[...services, 'nobody', 'mmi.service', 'mmi.services', 'mmi.workers', 'mmi.epoch', 'mmi.majordomus', 'mmi.cancel', 'mmi.', 'mmi.x'].map(text), ...hostileServices, ...epochServices);
  const aboutServices = fc.tuple(fc.constantFrom('mmi.epoch', 'mmi.service', 'mmi.workers').map(text), fc.constantFrom(...hostileServices, ...epochServices).map((name) => [name]));
  const question = fc.oneof({ weight: 20, arbitrary: fc.tuple(asked, body) }, { weight: 1, arbitrary: aboutServices });
  return fc.tuple(address, question, fc.option(timeout, { nil: undefined }))
    .map(([own, [service, rest], wait]) => [...own, empty, mdpClient, service, ...(wait === undefined ? [] : [wait]), ...rest]);
}

const token: fc.Arbitrary<StackFrame> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ token: fc.nat(400), add: fc.constantFrom(0, 0, 0, 1, -1, 128) }) },
  { weight: 1, arbitrary: bytes(20) },
);
const capacity = fc.option(fc.constantFrom('1', '4', '64', '1024', '99999999999999999999', '0', '-3', '1.5', 'many', '').map(text), { nil: undefined });

const epoch = fc.constantFrom('0', '1', '2', '7', '1000', '1000', '9007199254740991', '9007199254740992', '-1', '1.5', 'newest', '').map(text);

/** What a worker sends. */
export const workerStack: fc.Arbitrary<Stack> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...hostileServices), capacity).map(([service, size]) => [empty, mdpWorker, command('ready'), service, ...(size === undefined ? [] : [size])]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...epochServices), capacity, epoch).map(([service, size, instance]) => [empty, mdpWorker, command('ready'), service, size ?? empty, instance]) },
  { weight: 5, arbitrary: fc.tuple(token, body).map(([envelope, rest]) => [empty, mdpWorker, command('reply'), envelope, empty, ...rest]) },
  { weight: 2, arbitrary: fc.constant([empty, mdpWorker, command('heartbeat')]) },
  { weight: 1, arbitrary: fc.constant([empty, mdpWorker, command('disconnect')]) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(255), bytes(8)).map(([byte, rest]) => [empty, mdpWorker, Buffer.from([byte]), rest]) },
);

/** One thing that is done to a stack, with the place and what it needs. */
const change: fc.Arbitrary<(stack: Stack) => Stack> = fc.tuple(fc.nat(11), fc.nat(20), fc.nat(20), bytes(30), filled).map(([kind, at, other, some, large]) => (stack: Stack): Stack => {
  const place = stack.length === 0 ? 0 : at % stack.length;
  const second = stack.length === 0 ? 0 : other % stack.length;
  const frame = stack[place];
  const plain = Buffer.isBuffer(frame) ? frame : empty;
  switch (kind) {
    case 0: return stack.toSpliced(place, 1);
    case 1: return frame === undefined ? stack : stack.toSpliced(place, 0, frame);
    case 2: return frame === undefined ? stack : stack.with(place, stack[second] ?? empty).with(second, frame);
    case 3: return frame === undefined ? stack : stack.with(place, plain.subarray(0, other % (plain.length + 1)));
    case 4: return frame === undefined ? stack : stack.with(place, Buffer.concat([plain, some]));
    case 5: return frame === undefined ? stack : stack.with(place, large);
    case 6: return frame === undefined ? stack : stack.with(place, empty);
    case 7: return frame === undefined ? stack : stack.with(place, some);
    case 8: return frame === undefined || plain.length === 0 ? stack : stack.with(place, flipped(plain, other));
    case 9: return stack.toSpliced(place, 0, some);
    case 10: return [...stack, ...Array.from({ length: 1 + other }, () => some)];
    default: return stack.slice(0, place);
  }
});

function flipped(frame: Buffer, bit: number): Buffer {
  const copy = Buffer.from(frame);
  const at = bit % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}

/** A message as it is, or with some changes. A ROUTER and a DEALER send at least one frame. */
export function mutated(stack: fc.Arbitrary<Stack>): fc.Arbitrary<Stack> {
  return fc.tuple(stack, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) }))
    .map(([start, changes]) => changes.reduce((now, step) => step(now), start))
    .map((made) => (made.length === 0 ? [empty] : made));
}

/** Frames for a person: text where it is text, else hex, cut. */
export function showStack(stack: Stack): string {
  return stack.map((frame) => {
    if (!Buffer.isBuffer(frame)) return `<token ${frame.token}${frame.add === 0 ? '' : ` + ${frame.add}`}>`;
    const shown = /^[\x20-\x7e]*$/.test(frame.toString('latin1')) ? JSON.stringify(frame.toString('latin1')) : `0x${frame.toString('hex')}`;
    return shown.length > 200 ? `${shown.slice(0, 200)}… (${frame.length} bytes)` : shown;
  }).join(' | ');
}
