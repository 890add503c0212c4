// majordomus.toml into the reader of settings, and now and then into a house that starts with it: it starts, or says in one clear
// line which setting is wrong.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { runDomus } from '../../src/domus.ts';
import { wordsProblem } from '../judges.ts';
import { judgeRead, Reader } from '../reader.ts';
import { Finding, target } from '../target.ts';

const program = fileURLToPath(new URL('../../../apps/broker/test/settings-reader.ts', import.meta.url));
/** docs/architecture.md, "Settings, files, addresses". */
const known: ReadonlySet<string> = new Set(['SETTING_INVALID', 'CONFIG_FILE_INVALID']);

const good = ['host = "igor"', 'log-level = "warn"', 'bind = "tcp://127.0.0.1:40410"', 'broker = "tcp://127.0.0.1:40410"', 'primary = true', '[limits]', 'max-body-bytes = 16777216', 'liveness-ms = 5000', 'max-connections = 100', '[packagemanager]', 'registry = "http://127.0.0.1:9/"', '[manager]', '# a comment', ''];
const key = fc.constantFrom('host', 'log-level', 'bind', 'broker', 'join', 'home', 'limits', 'max-body-bytes', 'max-frame-bytes', 'max-connections', 'registry', '__proto__', 'constructor', '"a b"', 'a.b.c', '', 'ü');
const value = fc.oneof(
  fc.constantFrom('"igor"', '""', '"tcp://127.0.0.1:*"', '"tcp://x:99999"', '"ipc:///tmp/x"', '0', '-1', '1.5', '1e400', 'nan', 'inf', '0x10', '1_000', '99999999999999999999', 'true', '[]', '[1,"a"]', '{}', '{ a = 1 }', '1979-05-27T07:32:00Z', '07:32:00', '"\\ud800"', '"""\nx"""', "'x", '"x', '{', '[[', `${'['.repeat(2000)}${']'.repeat(2000)}`, `"${'x'.repeat(5000)}"`, '"\\u0000"', '"\\u001b[31m"'),
  fc.json({ maxDepth: 2 }),
);
const line = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...good) }, { weight: 4, arbitrary: fc.tuple(key, value).map(([name, some]) => `${name} = ${some}`) }, { weight: 1, arbitrary: fc.constantFrom('[limits', '[[limits]]', '[x]', '[]', '[limits.x]', '=', 'x', '[__proto__]', '\t', '\u0000', '\ufeff', '\r') }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) });
const change = fc.tuple(fc.nat(3), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([kind, where, some]) => (bytes: Buffer): Buffer => {
  const at = where % (bytes.length + 1);
  return kind === 0 ? bytes.subarray(0, at) : Buffer.concat([bytes.subarray(0, at), Buffer.from(some), bytes.subarray(kind === 1 ? at : at + some.length)]);
});

/** One in so many also starts a part. */
const startsEvery = 500;

export const settings = target<Buffer>({
  name: 'settings',
  about: 'majordomus.toml into the reader of settings, and now and then into a broker that starts with it',
  batchSize: 500,
  testInputs: 3000,
  input: fc.tuple(fc.array(line, { maxLength: 12 }), fc.oneof({ weight: 3, arbitrary: fc.constant<((bytes: Buffer) => Buffer)[]>([]) }, { weight: 1, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) }))
    .map(([lines, changes]) => changes.reduce<Buffer>((now, step) => step(now), Buffer.from(lines.join('\n')))),
  show: (bytes) => JSON.stringify(bytes.toString()).slice(0, 3000),
  open: (site) => {
    const reader = new Reader(site, program);
    const newHome = (bytes: Buffer, index: number): string => {
      const home = join(site.inputs, `settings-${index}`);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'majordomus.toml'), bytes);
      return home;
    };
    return Promise.resolve({
      feed: async (inputs) => {
        const homes = inputs.map(newHome);
        const read = await reader.read(homes);
        for (const [index, one] of read.entries()) judgeRead(one, known, () => settings.show(inputs[index]));
        // Those that are refused: what is right would start a broker that runs.
        const wrong = read.findIndex(({ ok }) => !ok);
        for (let at = wrong; at >= 0 && at < inputs.length; at += startsEvery) await judgeStart(homes[at] ?? '', read[at]?.ok === true);
      },
      memory: () => reader.memory('the reader of settings'),
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    });
  },
});

/** @throws Finding if it starts, or does not say why not in a line */
async function judgeStart(home: string, isRight: boolean): Promise<void> {
  if (isRight) return;
  const { code, stderr, stdout } = await runDomus(['up', '--home', home]);
  const lines = stderr.trim().split('\n');
  if (code === 0 || code === null || lines.length !== 1 || !/^(SETTING_INVALID|CONFIG_FILE_INVALID): /.test(lines[0] ?? '') || wordsProblem(stderr) !== undefined) {
    throw new Finding(`domus up ends with ${code} and says ${JSON.stringify(stderr)} ${JSON.stringify(stdout)}`);
  }
}
