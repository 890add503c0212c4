import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { isSealed, Secrets } from './secrets.ts';

const place = { host: 'igor', plugin: 'vault', key: 'password' };

function openSecrets(): { secrets: Secrets; keyFile: string } & Disposable {
  const folder = temporaryFolder();
  const keyFile = join(folder.path, 'keys', 'secrets.key');
  return { secrets: new Secrets(keyFile), keyFile, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe('an encrypted secret', () => {
  it('is read again, whatever it is, and is no JSON', () => {
    using house = openSecrets();
    fc.assert(fc.property(fc.jsonValue(), fc.string(), (value, key) => {
      const text = JSON.stringify(value);
      const sealed = house.secrets.seal({ ...place, key }, text);
      expect(isSealed(sealed)).toBe(true);
      expect(isSealed(text)).toBe(false);
      expect(() => JSON.parse(sealed) as unknown).toThrow(SyntaxError);
      expect(house.secrets.open({ ...place, key }, sealed)).toBe(text);
    }), { numRuns: 50 });
  });

  it('has a nonce of its own each time, and says its form and which key it needs', () => {
    using house = openSecrets();
    const sealed = Array.from({ length: 100 }, () => house.secrets.seal(place, '"hunter2"'));
    expect(new Set(sealed.map((text) => text.split(':')[2]?.slice(0, 16))).size).toBe(100);
    expect(new Set(sealed.map((text) => text.split(':').slice(0, 2).join(':')))).toEqual(new Set([expect.stringMatching(/^secret1:[0-9a-f]{8}$/)]));
    expect(sealed.join()).not.toContain(readFileSync(house.keyFile).toString('base64url').slice(0, 8));
  });

  it.each([
    ['host', { ...place, host: 'attic' }],
    ['plugin', { ...place, plugin: 'lamp' }],
    ['key', { ...place, key: 'token' }],
    // Parts that are put together carelessly would be the same here.
    ['border between its parts', { host: 'igor', plugin: 'vaultp', key: 'assword' }],
  ])('that was copied to another %s is refused', (_what, other) => {
    using house = openSecrets();
    const sealed = house.secrets.seal(place, '1');
    expect(() => house.secrets.open(other, sealed)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE', message: 'it is damaged, or was copied here from another host, plugin or key' }));
  });

  it('of which a single bit changed, or a part is gone, is refused, and the error does not hold it', () => {
    using house = openSecrets();
    const sealed = house.secrets.seal(place, '"hunter2"');
    const [form = '', id = '', text = ''] = sealed.split(':');
    const bytes = Buffer.from(text, 'base64url');
    const changed = Array.from(bytes, (byte, index) => {
      const other = Buffer.from(bytes);
      other[index] = byte ^ 1;
      return `${form}:${id}:${other.toString('base64url')}`;
    });
    for (const damaged of [...changed, sealed.slice(0, -8), `${form}:${id}:`, `${form}:`, form]) {
      try {
        house.secrets.open(place, damaged);
        expect.unreachable(damaged);
      } catch (error) {
        expect(error).toMatchObject({ code: 'SECRET_UNREADABLE' });
        expect(String(error)).not.toContain('hunter2');
      }
    }
  });
});

describe('the key', () => {
  it('is made with the first secret, for its owner alone, whatever the mask is, and is the same from then on', () => {
    using house = openSecrets();
    const mask = process.umask(0);
    try {
      expect(existsSync(dirname(house.keyFile))).toBe(false);
      const sealed = house.secrets.seal(place, '1');
      expect(statSync(house.keyFile).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(house.keyFile)).mode & 0o777).toBe(0o700);
      const key = readFileSync(house.keyFile);
      expect(key).toHaveLength(32);
      house.secrets.seal(place, '2');
      expect(readFileSync(house.keyFile).equals(key)).toBe(true);
      expect(new Secrets(house.keyFile).open(place, sealed)).toBe('1');
      expect(readdirSync(dirname(house.keyFile))).toEqual(['secrets.key']);
    } finally {
      process.umask(mask);
    }
  });

  it('is made anew after a start that was interrupted while making it', () => {
    using house = openSecrets();
    mkdirSync(dirname(house.keyFile));
    writeFileSync(`${house.keyFile}.new`, 'half');
    expect(house.secrets.open(place, house.secrets.seal(place, '1'))).toBe('1');
    expect(readdirSync(dirname(house.keyFile))).toEqual(['secrets.key']);
  });

  it('that is lost, or is another one, is told; put back, it counts at once', () => {
    using house = openSecrets();
    const sealed = house.secrets.seal(place, '1');
    const key = readFileSync(house.keyFile);
    const id = sealed.split(':')[1] ?? '';
    writeFileSync(house.keyFile, Buffer.alloc(32));
    expect(() => house.secrets.open(place, sealed)).toThrow(expect.objectContaining({
      code: 'SECRET_UNREADABLE', message: expect.stringMatching(`^it was encrypted with the key ${id}, and ${house.keyFile} is the key [0-9a-f]{8}: put that one back`) as string,
    }));
    writeFileSync(house.keyFile, key);
    expect(house.secrets.open(place, sealed)).toBe('1');
  });

  it('that is no key is never overwritten: nothing is encrypted until a person has looked', () => {
    using house = openSecrets();
    mkdirSync(dirname(house.keyFile));
    for (const text of ['', 'x'.repeat(31), 'x'.repeat(33)]) {
      writeFileSync(house.keyFile, text);
      const problem = `${house.keyFile} is no key (it has ${text.length} bytes, and a key has 32)`;
      expect(() => house.secrets.seal(place, '1')).toThrow(expect.objectContaining({ code: 'KEY_UNUSABLE', message: expect.stringContaining(problem) as string }));
      expect(readFileSync(house.keyFile, 'utf8')).toBe(text);
    }
  });

  it('is not made where it cannot be, and the reason says where and why', () => {
    using house = openSecrets();
    writeFileSync(dirname(house.keyFile), 'a file where the folder should be');
    chmodSync(dirname(house.keyFile), 0o400);
    expect(() => house.secrets.seal(place, '1')).toThrow(`cannot make the folder ${dirname(house.keyFile)} (EEXIST)`);
  });
});
