// Machines against each other, over a wire that is a function call, with a clock that is a number.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandFrame, frameHeader } from './frame.ts';
import { errorCommand, pingCommand, pongCommand, readyCommand } from './command.ts';
import { greeting } from './greeting.ts';
import { PeerMachine, type PeerInfo, type PeerOptions } from './peer-machine.ts';

const limits = { maxFrameBytes: 1000, maxFrames: 10, maxMessageBytes: 2000 };
const options: PeerOptions = { type: 'ROUTER', limits, handshakeMs: 1000 };
const heartbeat = { intervalMs: 1000, timeoutMs: 5000, ttlMs: 3000 };

const longBytes = 100_000;
const long = { ...limits, maxFrameBytes: longBytes, maxMessageBytes: longBytes };
/** What comes before a message of so many bytes. */
const longHeader = frameHeader(longBytes, false);

/** A machine, what it wrote, and what it told. */
class Played {
  readonly written: Buffer[] = [];
  readonly told: unknown[] = [];
  readonly machine: PeerMachine;
  nowMs = 0;
  accepts = true;

  constructor(more: Partial<PeerOptions> = {}) {
    this.machine = new PeerMachine({ ...options, ...more }, {
      write: (bytes) => void this.written.push(bytes),
      open: (peer: PeerInfo) => {
        this.told.push(`open ${peer.type} ${peer.identity.toString()} 3.${peer.minor}`);
        return this.accepts;
      },
      message: (message) => void this.told.push(message.frames().map(String)),
      alive: () => void this.told.push('alive'),
      end: (reason, detail) => void this.told.push(detail === '' ? reason : `${reason}: ${detail}`),
    }, 0);
    this.machine.start();
  }

  receive(...chunks: readonly Buffer[]): this {
    for (const chunk of chunks) this.machine.receive(chunk, this.nowMs);
    return this;
  }

  at(ms: number): this {
    this.nowMs = ms;
    if (this.machine.deadlineMs <= ms) this.machine.tick(ms);
    return this;
  }

  /** What it wrote since the last time. */
  take(): string {
    return Buffer.concat(this.written.splice(0)).toString('latin1');
  }
}

const ready = (type: Parameters<typeof readyCommand>[0]): Buffer => commandFrame(readyCommand(type));
const text = (body: Buffer): string => commandFrame(body).toString('latin1');

function opened(more: Partial<PeerOptions> = {}): Played {
  const played = new Played(more).receive(greeting, ready(more.type === 'DEALER' ? 'ROUTER' : 'DEALER'));
  played.told.length = 0;
  played.take();
  return played;
}

describe('a connection', () => {
  it('two machines open each other, whoever reads first', () => {
    const [dealer, router] = [new Played({ type: 'DEALER' }), new Played()];
    for (let turn = 0; turn < 3; turn += 1) {
      router.receive(...dealer.written.splice(0));
      dealer.receive(...router.written.splice(0));
    }
    expect([dealer.told, router.told]).toEqual([['open ROUTER  3.1'], ['open DEALER  3.1']]);
    router.receive(Buffer.from('0101610001', 'hex').subarray(0, 3), Buffer.from('000162', 'hex'));
    expect(router.told.at(-1)).toEqual(['a', 'b']);
  });

  it('a peer of version 3.0 sends a greeting, READY and traffic, byte by byte, and is answered as any other', () => {
    const theirs = Buffer.from(
      `ff00000000000000017f0300${Buffer.from('NULL').toString('hex')}${'00'.repeat(16)}00${'00'.repeat(31)}`
      + `042905${Buffer.from('READY').toString('hex')}0b${Buffer.from('Socket-Type').toString('hex')}00000006${Buffer.from('DEALER').toString('hex')}`
      + `08${Buffer.from('Identity').toString('hex')}00000000`
      + '01016100026263', 'hex');
    const played = new Played().receive(...[...theirs].map((byte) => Buffer.from([byte])));
    expect(played.told).toEqual(['open DEALER  3.0', ['a', 'bc']]);
    expect(played.take()).toBe(Buffer.concat([greeting, ready('ROUTER')]).toString('latin1'));
  });

  it('one that speaks to no such socket says so, and ends', () => {
    const played = new Played().receive(greeting, ready('SUB'));
    expect(played.told).toEqual(['SOCKET_TYPE_MISMATCH: ROUTER does not speak to SUB']);
    expect(played.take()).toContain('ROUTER does not speak to SUB');
  });

  it('one whose routing id is taken is told so, and ends', () => {
    const played = new Played();
    played.accepts = false;
    expect(played.receive(greeting, ready('DEALER')).told).toEqual(['open DEALER  3.1', 'IDENTITY_TAKEN: another peer has this routing id']);
    expect(played.take()).toBe(Buffer.concat([greeting, ready('ROUTER'), commandFrame(errorCommand('another peer has this routing id'))]).toString('latin1'));
  });

  it.each([
    ['traffic before READY', [greeting, Buffer.from('000161', 'hex')]],
    ['PING before READY', [greeting, commandFrame(pingCommand(1000))]],
    ['READY twice', [greeting, ready('DEALER'), ready('DEALER')]],
    ['a malformed command', [greeting, Buffer.from('0400', 'hex')]],
    ['no greeting', [Buffer.from('GET /')]],
  ])('%s is no ZMTP', (_what, chunks) => {
    expect(new Played().receive(...chunks).told.at(-1)).toBe('NOT_ZMTP');
  });

  it('the word of a peer that refuses is passed on', () => {
    expect(new Played().receive(greeting, commandFrame(errorCommand('not today'))).told).toEqual(['REFUSED: not today']);
  });

  it('a command of a later version is no fault', () => {
    const played = opened().receive(commandFrame(Buffer.from('\x03NEW')), Buffer.from('000161', 'hex'));
    expect(played.told).toEqual([['a']]);
  });

  it('a handshake that does not come to its end ends in time', () => {
    const played = new Played().receive(greeting.subarray(0, 20));
    expect(played.at(999).told).toEqual([]);
    expect(played.at(1000).told).toEqual(['HANDSHAKE_TIMEOUT']);
    expect(played.machine.deadlineMs).toBe(Infinity);
  });

  it('PING is answered with its context, and its time-to-live counts anew from whatever comes', () => {
    const ping = commandFrame(Buffer.concat([pingCommand(3000), Buffer.from('ctx')]));
    const played = opened().at(100).receive(ping);
    expect(played.take()).toBe(text(pongCommand(Buffer.from('ctx'))));
    expect(played.at(3099).told).toEqual([]);
    played.receive(Buffer.from('000161', 'hex'));
    expect(played.at(6098).told).toEqual([['a']]);
    expect(played.at(6099).told).toEqual([['a'], 'SILENT']);
  });

  it('a PING without a time-to-live takes back that of the one before', () => {
    const played = opened().at(100).receive(commandFrame(pingCommand(3000)), commandFrame(pingCommand(0)));
    expect(played.machine.deadlineMs).toBe(Infinity);
  });

  it('one with a heartbeat sends PING at each interval, and gives up when nothing comes', () => {
    const played = opened({ type: 'DEALER', heartbeat });
    for (const ms of [1000, 2000, 3000, 4000, 5000]) {
      played.at(ms);
      expect(played.take()).toBe(text(pingCommand(3000)));
    }
    expect(played.told).toEqual([]);
    expect(played.at(6000).told).toEqual(['SILENT']);
  });

  it('a PONG is life', () => {
    const played = opened({ type: 'DEALER', heartbeat });
    for (let ms = 1000; ms <= 20_000; ms += 1000) played.at(ms).receive(commandFrame(pongCommand(Buffer.alloc(0))));
    expect(played.told).toEqual([]);
  });

  it('bytes are life, on both sides: whose PINGs stand behind a long message hears a PONG in time', () => {
    const sender = opened({ type: 'DEALER', heartbeat });
    const receiver = opened({ limits: long });
    // It takes a minute, and the PINGs wait for its end.
    receiver.receive(longHeader);
    for (let ms = 0; ms <= 60_000; ms += 500) {
      sender.at(ms);
      sender.take();
      receiver.at(ms).receive(Buffer.alloc(500));
      sender.receive(Buffer.from(receiver.take(), 'latin1'));
    }
    expect([sender.told, receiver.told]).toEqual([[], ['alive', 'alive', 'alive']]);
  });

  it('a PONG that nobody asked for is said while bytes come and no PING among them, and each 1.5 s', () => {
    const pong = text(pongCommand(Buffer.alloc(0)));
    const played = opened({ limits: long }).receive(longHeader);
    const said: number[] = [];
    for (let ms = 0; ms <= 6000; ms += 100) {
      played.at(ms);
      // It hears nothing from 3 s to 5 s.
      if (ms <= 3000 || ms >= 5000) played.receive(Buffer.alloc(1));
      if (played.take() === pong) said.push(ms);
    }
    expect(said).toEqual([1500, 3000, 5000]);
  });

  it('… and not to who says PING each second, nor, before the first, to who may not know PONG, nor by who says PING itself', () => {
    const ping = commandFrame(pingCommand(3000));
    const small = Buffer.from('000161', 'hex');
    const older = Buffer.from(greeting);
    older[11] = 0;
    const played = { pings: opened(), older: new Played().receive(older, ready('DEALER')), dealer: opened({ type: 'DEALER', heartbeat }) };
    for (let ms = 0; ms <= 10_000; ms += 100) {
      for (const [name, one] of Object.entries(played)) one.at(ms).receive(name === 'pings' && ms % 1000 === 0 ? ping : small);
    }
    const pongs = (one: Played): number => one.take().split(text(pongCommand(Buffer.alloc(0)))).length - 1;
    expect([pongs(played.pings), pongs(played.older), pongs(played.dealer)]).toEqual([11, 0, 0]);
    played.older.receive(ping).at(11_500).receive(small);
    expect(pongs(played.older)).toBe(2);
  });

  it('each 16 KiB more of a message that is not whole are told, and nothing of small messages, of a trickle, or in the handshake', () => {
    const played = opened({ limits: long });
    for (let i = 0; i < 1000; i += 1) played.receive(Buffer.from('0064', 'hex'), Buffer.alloc(100));
    expect(played.told.splice(0).every((told) => Array.isArray(told))).toBe(true);
    played.receive(longHeader);
    for (let i = 0; i < 16_000; i += 1) played.receive(Buffer.alloc(1));
    expect(played.told).toEqual([]);
    played.receive(Buffer.alloc(1000));
    expect(played.told).toEqual(['alive']);
    played.receive(Buffer.alloc(16 * 1024), Buffer.alloc(longBytes - 17_000 - 16 * 1024));
    expect(played.told.splice(0)).toEqual(['alive', 'alive', ['\0'.repeat(longBytes)]]);
    // The next one counts anew.
    played.receive(longHeader, Buffer.alloc(16_000));
    expect(played.told).toEqual([]);
    played.receive(Buffer.alloc(1000));
    expect(played.told).toEqual(['alive']);
    expect(new Played().receive(greeting, Buffer.from('0600000000000080000552454144', 'hex'), Buffer.alloc(30_000)).told).toEqual([]);
  });

  it('nor of commands, however much comes of them', () => {
    const played = opened({ limits: long });
    const unknown = commandFrame(Buffer.from(`\x05OTHER${'x'.repeat(60_000)}`));
    for (let i = 0; i < 10; i += 1) played.receive(unknown.subarray(0, 30_000), unknown.subarray(30_000));
    expect(played.told).toEqual([]);
  });

  it('time in which the process did not run is no silence: what came meanwhile is read first', () => {
    const played = opened({ type: 'DEALER', heartbeat }).at(1000);
    // It wakes up after a minute; its timer is asked before the socket.
    expect(played.at(61_000).told).toEqual([]);
    played.receive(commandFrame(pongCommand(Buffer.alloc(0))));
    expect(played.at(61_500).told).toEqual([]);
    const alone = opened({ type: 'DEALER', heartbeat }).at(1000).at(61_000);
    expect(alone.at(61_200).told).toEqual(['SILENT']);
  });

  it('above a limit it ends', () => {
    expect(opened().receive(Buffer.from('02ffffffffffffffff', 'hex')).told).toEqual(['TOO_LARGE']);
  });

  it('nothing is told after its end, and nothing written', () => {
    const played = opened().receive(Buffer.from('0800', 'hex'));
    played.take();
    expect(played.receive(Buffer.from('000161', 'hex'), commandFrame(pingCommand(1))).at(1e9).told).toEqual(['NOT_ZMTP']);
    expect(played.take()).toBe('');
  });

  it('whatever comes, it opens once at the most, ends once at the most, and tells no message outside', { timeout: 120_000 }, () => {
    const piece = fc.oneof(
      fc.constantFrom(greeting, ready('DEALER'), ready('REQ'), ready('PUB'), commandFrame(pingCommand(100)), commandFrame(errorCommand('x')), Buffer.from('010161000162', 'hex'), Buffer.from('0200000000000000', 'hex')),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    const start = fc.constantFrom<Buffer[]>([], [greeting], [greeting, ready('DEALER')]);
    fc.assert(fc.property(start, fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 6 }), (first, pieces, places) => {
      const bytes = Buffer.concat([...first, ...pieces]);
      const played = new Played();
      let from = 0;
      for (const place of [...places.sort((a, b) => a - b), bytes.length]) {
        played.receive(bytes.subarray(from, Math.max(from, place)));
        from = Math.max(from, place);
      }
      const kinds = played.told.map((told) => (Array.isArray(told) ? 'message' : String(told).startsWith('open') ? 'open' : 'end')).join(' ');
      expect(kinds).toMatch(/^(open( message)*)?( ?end)?$/);
    }), { numRuns: 100_000, seed: 37 });
  });
});
