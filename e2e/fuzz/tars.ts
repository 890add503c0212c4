// Archives byte by byte: good ones, hostile ones, and what becomes of either when bytes are changed. No packer makes most of them.
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

const blockBytes = 512;

interface Entry {
  readonly path: string;
  /** The type byte: `0` a file, `5` a folder, `1` and `2` links, `x` and `g` pax, `L` and `K` long names, `S` sparse. */
  readonly type: string;
  readonly content: Buffer;
  readonly link: string;
  readonly mode: number;
  /** What the header says, if that is not the truth. */
  readonly size: bigint | undefined;
  readonly isSumRight: boolean;
}

function header({ path, type, content, link, mode, size, isSumRight }: Entry): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(path, 0, 100);
  block.write(`${(mode & 0o7777777).toString(8).padStart(7, '0')}\0`, 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  const said = size ?? BigInt(content.length);
  if (said < 8n ** 11n) block.write(`${said.toString(8).padStart(11, '0')}\0`, 124);
  else {
    // Base 256, as GNU writes what octal digits cannot say.
    block[124] = 0x80;
    block.writeBigUInt64BE(said, 128);
  }
  block.write('00000000000\0', 136);
  block.fill(' ', 148, 156);
  block.write(type, 156, 1, 'latin1');
  block.write(link, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((all, byte) => all + byte, 0) + (isSumRight ? 0 : 1);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function tar(entries: readonly Entry[], hasEnd: boolean): Buffer {
  const blocks = entries.flatMap((entry) => [header(entry), entry.content, Buffer.alloc((blockBytes - (entry.content.length % blockBytes)) % blockBytes)]);
  return Buffer.concat([...blocks, Buffer.alloc(hasEnd ? 2 * blockBytes : 0)]);
}

function pax(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(fields).map(([name, value]) => {
    const rest = ` ${name}=${value}\n`;
    let length = Buffer.byteLength(rest) + 1;
    while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`);
    return Buffer.from(`${length}${rest}`);
  }));
}

const manifest = Buffer.from(JSON.stringify({ name: 'lamp', version: '1.0.0', description: 'A lamp', engine: '^0.1.0', main: 'main.js' }));
const plain = { link: '', mode: 0o644, size: undefined, isSumRight: true } as const;
const file = (path: string, content: Buffer): Entry => ({ path, type: '0', content, ...plain });
const good: readonly Entry[] = [file('package/plugin.json', manifest), file('package/main.js', Buffer.from('process.stdin.resume();\n'))];

/** Ways out of the folder that it is unpacked into. */
function waysOut(decoys: string): readonly string[] {
  return ['/etc/fuzzed', `${decoys}/fuzzed`, '../fuzzed', '../../decoys/fuzzed', '../../../decoys/plugin.json', 'package/../../fuzzed', 'package/../../../decoys/fuzzed', './../fuzzed', 'package/./../..//fuzzed', '..', '.', '/', '', 'package\\..\\..\\fuzzed', 'package/\0/../../fuzzed', 'C:\\fuzzed', '//fuzzed', 'package/link/fuzzed'];
}

function entries(decoys: string): fc.Arbitrary<Entry> {
  const path = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((name) => `package/${name}`) },
    { weight: 3, arbitrary: fc.constantFrom(...waysOut(decoys)) },
    { weight: 1, arbitrary: fc.constantFrom('package/plugin.json', 'package/main.js/x', 'package/node_modules/@majordomus/plugin/index.js', 'package/node_modules/x/index.js', 'package/.git/config', 'other/file', `package/${'d/'.repeat(45)}x`, 'package', 'file') },
  );
  const link = fc.constantFrom('', '/etc/passwd', '../../decoys', '../..', 'package/plugin.json', '.', `${decoys}/folder`, decoys);
  const type = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('0', '\0', '5') }, { weight: 4, arbitrary: fc.constantFrom('1', '2') }, { weight: 2, arbitrary: fc.constantFrom('3', '4', '6', '7', 'x', 'g', 'L', 'K', 'S', 'M', 'V', 'D', 'N', 'A', '\xff') });
  const size = fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 511n, 513n, 100_000n, 8n ** 11n - 1n, 2n ** 33n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n) });
  const content = fc.oneof({ weight: 6, arbitrary: fc.uint8Array({ maxLength: 700 }).map((array) => Buffer.from(array)) }, { weight: 1, arbitrary: fc.constantFrom(100_000, 700_000).map((bytes) => Buffer.alloc(bytes)) });
  const headers = fc.dictionary(fc.constantFrom('path', 'linkpath', 'size', 'mode', 'mtime', 'GNU.sparse.major', 'GNU.sparse.minor', 'GNU.sparse.name', 'GNU.sparse.realsize', 'SCHILY.xattr.x', 'x', '__proto__'), fc.oneof(fc.constantFrom(...waysOut(decoys), '99999999999999', '-1', 'NaN', '0', '1', 'x'.repeat(2000)), fc.string({ maxLength: 20 })), { maxKeys: 4 });
  const any = fc.record({ path, type, content, link, mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o7777, 0), size, isSumRight: fc.constant(true) });
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(any, fc.nat(20)).map(([entry, one]) => ({ ...entry, isSumRight: one > 0 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom('x', 'g'), headers).map(([kind, fields]) => ({ ...plain, path: 'PaxHeader', type: kind, content: pax(fields) })) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('L', 'K'), fc.oneof(fc.constantFrom(...waysOut(decoys), `package/${'n'.repeat(300)}`, 'x'.repeat(70_000)))).map(([kind, name]) => ({ ...plain, path: '././@LongLink', type: kind, content: Buffer.from(`${name}\0`) })) },
  );
}

const change: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.tuple(fc.nat(4), fc.nat(), fc.uint8Array({ maxLength: 20 })).map(([kind, where, some]) => (bytes: Buffer): Buffer => {
  const at = bytes.length === 0 ? 0 : where % bytes.length;
  switch (kind) {
    case 0: return bytes.subarray(0, at);
    case 1: return Buffer.concat([bytes.subarray(0, at), Buffer.from(some), bytes.subarray(at + some.length)]);
    case 2: return Buffer.concat([bytes.subarray(0, at), Buffer.from(some), bytes.subarray(at)]);
    case 3: return Buffer.concat([bytes, Buffer.from(some)]);
    default: return Buffer.concat([bytes, bytes.subarray(at)]);
  }
});

/** Archives; `decoys` is a folder that nobody may write to. */
export function archives(decoys: string): fc.Arbitrary<Buffer> {
  const some = fc.array(entries(decoys), { maxLength: 6 });
  const bomb = fc.constantFrom(
    [...good, file('package/zeros', Buffer.alloc(8 * 2 ** 20))],
    [...good, ...Array.from({ length: 300 }, (_, index) => file(`package/${index}`, Buffer.alloc(0)))],
    [...good, ...Array.from({ length: 600 }, () => ({ ...plain, path: 'PaxHeader', type: 'x', content: pax({ comment: 'x'.repeat(400) }) }))],
  );
  const contents = fc.oneof(
    { weight: 2, arbitrary: fc.constant([...good]) },
    { weight: 10, arbitrary: fc.tuple(some, fc.boolean()).map(([more, isFirst]) => (isFirst ? [...more, ...good] : [...good, ...more])) },
    { weight: 1, arbitrary: some },
  );
  const whole = fc.oneof({ weight: 60, arbitrary: contents }, { weight: 1, arbitrary: bomb });
  return fc.tuple(whole, fc.nat(9), fc.constantFrom(0, 1, 1, 1, 2), fc.oneof({ weight: 4, arbitrary: fc.constant<((bytes: Buffer) => Buffer)[]>([]) }, { weight: 1, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) }), fc.boolean())
    .map(([list, end, zips, changes, isChangedFirst]) => {
      const changed = (bytes: Buffer, isNow: boolean): Buffer => (isNow ? changes.reduce<Buffer>((now, step) => step(now), bytes) : bytes);
      let bytes = changed(tar(list, end > 0), isChangedFirst);
      for (let zip = 0; zip < zips; zip += 1) bytes = gzipSync(bytes, { level: 1 });
      return changed(bytes, !isChangedFirst);
    });
}
