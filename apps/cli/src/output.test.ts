import { describe, expect, it, vi } from 'vitest';
import { PeerError } from '@majordomus/mq';
import { reportFailure } from './failure.ts';
import { jsonText, shownText, table } from './output.ts';
import { createProgress } from './progress.ts';

const hostile = 'lamp\u001b[2J\u009b31m\u007f';
const shown = String.raw`lamp\x1b[2J\x9b31m\x7f`;

/** What is written to standard error meanwhile. */
function written(act: () => void): string {
  let text = '';
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    act();
    return text;
  } finally {
    write.mockRestore();
    process.exitCode = undefined;
  }
}

describe('what others say is shown, and not obeyed', () => {
  it('in text, where line breaks stay', () => {
    expect(shownText(`a\n${hostile}`)).toBe(`a\n${shown}`);
  });

  it('in a row, which stays one line', () => {
    expect(table(['NAME'], [[`${hostile}\nb`]])).toContain(`${shown}\\x0ab`);
  });

  it('in JSON, which means the same', () => {
    expect(jsonText({ hostile })).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(JSON.parse(jsonText({ hostile }))).toEqual({ hostile });
  });

  it('in the code and the reason of an error, which stays one line', () => {
    const error = new PeerError(`A${hostile}`, `b\n${hostile}`, { service: 'lamp', action: 'go' });
    expect(written(() => reportFailure(error))).toBe(`A${shown}: b\\x0a${shown}\n`);
  });
});

it('progress shows no password', () => {
  expect(written(() => createProgress(process.stderr).step('installing https://ann:secret@host/x.tgz: fetch'))).not.toContain('secret');
});
