// The judge of a trace of dbmanager, as strace writes it: whether each reply to a write left after a sync of the
// write-ahead log that began when the write's commit stood in it, and that succeeded. Pure. It knows a write by a mark
// that stands in its data and in its reply, and a commit by the log's own format (sqlite.org/fileformat2.html, 4.1).

/** Something seen: a call's beginning or its end, in the order in which strace saw them. */
type Seen =
  | { readonly kind: 'begin'; readonly call: Call }
  | { readonly kind: 'end'; readonly call: Call; readonly result: number };

interface Call {
  readonly name: string;
  /** What the descriptor is: a path, or `socket:[…]`. */
  readonly target: string;
  /** All bytes that it is to write. */
  readonly data: Buffer;
}

export interface Judgement {
  /** The marks whose reply was seen to leave, and left rightly. */
  readonly proven: readonly string[];
  readonly problems: readonly string[];
  /** Syncs of the log that succeeded. */
  readonly syncs: number;
}

const frameHeaderBytes = 24;

/** @param before marks whose commit stood in the log before the trace began, and may not be on the disk */
export function judge(trace: string, marks: readonly string[], before: readonly string[] = []): Judgement {
  const states = new Map<string, 'written' | 'committed' | 'synced'>(before.map((mark) => [mark, 'committed']));
  const proven: string[] = [];
  const problems: string[] = [];
  /** What was committed when a sync began. */
  const syncing = new Map<Call, readonly string[]>();
  let isCommit = false;
  let syncs = 0;
  const having = (state: string): string[] => [...states].filter(([, has]) => has === state).map(([mark]) => mark);

  for (const seen of seenIn(trace)) {
    const { name, target, data } = seen.call;
    const isLog = target.endsWith('-wal');
    const isSync = isLog && (name === 'fsync' || name === 'fdatasync');
    if (isSync && seen.kind === 'begin') syncing.set(seen.call, having('committed'));
    else if (isSync && seen.kind === 'end' && seen.result === 0) {
      syncs++;
      for (const mark of syncing.get(seen.call) ?? []) states.set(mark, 'synced');
    } else if (isLog && seen.kind === 'end' && seen.result === data.length) {
      if (data.length === frameHeaderBytes) isCommit = data.readUInt32BE(4) > 0;
      else {
        for (const mark of marks) if (!states.has(mark) && data.includes(mark)) states.set(mark, 'written');
        if (isCommit) for (const mark of having('written')) states.set(mark, 'committed');
      }
    } else if (target.startsWith('socket:') && seen.kind === 'begin' && data.includes('"status":true')) {
      for (const mark of marks.filter((one) => data.includes(one))) {
        const state = states.get(mark);
        if (state === 'synced') proven.push(mark);
        else problems.push(`the reply to ${mark} left when it was ${state === undefined ? 'not written' : `${state} and not synced`}`);
      }
    }
  }
  return { proven, problems, syncs };
}

const whole = /^(\d+) +[\d:.]+ (\w+)\((.*)\) += (-?\d+)/;
const begun = /^(\d+) +[\d:.]+ (\w+)\((.*?),? *<unfinished \.\.\.>$/;
const resumed = /^(\d+) +[\d:.]+ <\.\.\. (\w+) resumed>.*\) += (-?\d+)/;

function seenIn(trace: string): Seen[] {
  const open = new Map<string, Call>();
  return trace.split('\n').flatMap((line): Seen[] => {
    const one = whole.exec(line);
    if (one !== null) {
      const call = callOf(one[2], one[3]);
      return [{ kind: 'begin', call }, { kind: 'end', call, result: Number(one[4]) }];
    }
    const first = begun.exec(line);
    if (first !== null) {
      const call = callOf(first[2], first[3]);
      open.set(first[1] ?? '', call);
      return [{ kind: 'begin', call }];
    }
    const last = resumed.exec(line);
    const call = open.get(last?.[1] ?? '');
    return last === null || call === undefined ? [] : [{ kind: 'end', call, result: Number(last[3]) }];
  });
}

function callOf(name = '', args = ''): Call {
  const target = /^\d+<([^>]*)>/.exec(args)?.[1] ?? '';
  const data = Buffer.concat([...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => bytesOf(text)));
  return { name, target, data };
}

const controls: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** The bytes that a string of strace stands for. */
function bytesOf(text: string): Buffer {
  return Buffer.from(
    text.replaceAll(/\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/g, (_all, hex?: string, octal?: string, other?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return other === undefined ? '' : String.fromCodePoint(controls[other] ?? other.codePointAt(0) ?? 0);
    }),
    'latin1',
  );
}
