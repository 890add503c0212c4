// plugin.json into its reader, made from the schema of the manifest and then harmed as text (docs/actions.md, "Manifest").
import { fileURLToPath } from 'node:url';
import { manifest, pluginInstall } from '@majordomus/contracts';
import * as fc from 'fast-check';
import { codesOf } from '../judges.ts';
import { judgeRead, Reader } from '../reader.ts';
import { jsonFor, type Schema } from '../schema-values.ts';
import { target } from '../target.ts';

const program = fileURLToPath(new URL('../../../apps/packagemanager/test/reader.ts', import.meta.url));
const schema = manifest.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as Schema;
const fitting = {
  name: fc.constantFrom('lamp', 'a'), version: fc.constantFrom('1.0.0', '1.2.3-rc.1+x', '99999999999999999999.0.0'), engine: fc.constantFrom('^0.1.0', '*', '>=0.1 <1 || 2.x', 'x'.repeat(300), '^^1', '1.0.0 - 2.0.0 - 3'),
  description: fc.constantFrom('A lamp', ''), main: fc.constantFrom('main.js', 'src/main.ts', '../x', '/x', 'a\\b', ''), exec: fc.constantFrom(['python3', 'main.py'], [], ['']),
};
/** Bytes that are no text, and manifests larger than any. */
const odd = fc.oneof(fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)), fc.constantFrom(Buffer.alloc(0), Buffer.alloc(300_000, ' '), Buffer.from('\ufeff{}', 'utf16le'), Buffer.from([0x7b, 0xff, 0x7d])));

export const manifests = target<Buffer>({
  name: 'manifests',
  about: 'plugin.json into its reader',
  batchSize: 500,
  testInputs: 5000,
  input: fc.oneof({ weight: 20, arbitrary: jsonFor(schema, fitting).map((json) => Buffer.from(json)) }, { weight: 1, arbitrary: odd }),
  show: (bytes) => (bytes.length > 2000 ? `${bytes.subarray(0, 2000).toString()}… (${bytes.length} bytes)` : bytes.toString()),
  open: (site) => {
    const reader = new Reader(site, program);
    return Promise.resolve({
      feed: async (inputs) => {
        const lines = inputs.map((bytes) => JSON.stringify({ manifest: bytes.toString('base64') }));
        for (const [index, read] of (await reader.read(lines)).entries()) judgeRead(read, codesOf(pluginInstall), () => manifests.show(inputs[index]));
      },
      memory: () => reader.memory('the reader of manifests'),
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    });
  },
});
