import { describe, expect, it } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

describe('didYouMean', () => {
  const known = ['list', 'check', 'switch-on', 'switch-off'];

  it.each([['lsit', 'list'], ['chek', 'check'], ['checks', 'check'], ['swich-on', 'switch-on'], ['list', 'list']])('takes %s for %s', (typed, meant) => {
    expect(didYouMean(typed, known)).toBe(meant);
  });

  it.each(['', 'x', 'format', 'l'.repeat(1_000_000)])('does not guess when nothing is near', (typed) => {
    expect(didYouMean(typed, known)).toBeUndefined();
  });
});
