// Contracts of the tests' own, one of each kind.
import { contract } from '@majordomus/contracts';
import { z } from 'zod';

/** May be done twice. */
export const echoGet = contract({
  service: 'echo',
  action: 'echo.get',
  summary: 'Answers what it is told.',
  idempotent: true,
  input: z.object({ text: z.string().default('silence') }),
  output: z.object({ text: z.string() }),
  errors: { NOT_TODAY: 'It does not want to.' },
});

/** Must not be done twice. */
export const bellRing = contract({
  service: 'echo',
  action: 'bell.ring.do',
  aliases: ['bell.ring'],
  summary: 'Rings the bell.',
  input: z.object({ times: z.number().int().min(1) }),
  output: z.object({ rung: z.number().int() }),
});
