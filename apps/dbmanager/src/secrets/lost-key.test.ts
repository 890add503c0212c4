import { renameSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ConfigurationItems } from '@majordomus/contracts';
import { noticesIn } from '../../test/damaged-home.ts';
import { OpenDatabase } from '../../test/open-database.ts';

const items: ConfigurationItems = {
  password: { type: 'string', description: 'what it is let in by', example: 'abcdef', secret: true },
  pin: { type: 'integer', description: 'the number', example: 1234, secret: true },
};

/** With a secret in it. */
function houseWithSecret(): OpenDatabase {
  const house = new OpenDatabase();
  house.schema(items);
  house.set({ password: 'hunter2' });
  return house;
}

describe('the loss of the key', () => {
  it('is told at the start, once, in a notice that says what cannot be read and what heals it', () => {
    using house = houseWithSecret();
    expect(house.database.checkKey()).toEqual([]);
    renameSync(house.keyFile, `${house.keyFile}.away`);
    const text = `put the key of the secrets back, or set them again (domus config set PLUGIN KEY VALUE): 1 cannot be decrypted (password of vault on igor): the key ${house.keyFile} is not there: put it back from a backup; one that was made with --with-keys has it (domus restore)`;
    house.reopen();
    expect(house.database.checkKey()).toEqual([text]);
    house.reopen();
    house.database.checkKey();
    expect(noticesIn(house.connection)).toEqual([text]);
    renameSync(`${house.keyFile}.away`, house.keyFile);
    expect(house.database.checkKey()).toEqual([]);
  });

  it('is told when the next secret makes a new one', () => {
    using house = houseWithSecret();
    expect(noticesIn(house.connection)).toEqual([]);
    rmSync(house.keyFile);
    house.set({ pin: 1234 });
    house.set({ pin: 1235 });
    expect(noticesIn(house.connection)).toEqual([expect.stringMatching(/1 cannot be decrypted \(password of vault on igor\): it was encrypted with the key \w{8}, and .* is the key \w{8}: put that one back/)]);
  });

  it('is nothing to be told of where there are no secrets', () => {
    using house = new OpenDatabase();
    house.set({ name: 'ann' });
    expect(house.database.checkKey()).toEqual([]);
    house.schema(items);
    house.set({ password: 'hunter2' });
    expect(noticesIn(house.connection)).toEqual([]);
  });
});
