// An action as a house has them, for calls whose data is checked at both ends; with its JSON a body of about 100 bytes.
import { contract } from '@majordomus/contracts';
import { z } from 'zod';

const data = z.object({ number: z.int(), name: z.string(), on: z.boolean(), level: z.number().min(0).max(100), note: z.string().optional() });

export const echo = contract({ service: 'echo', action: 'lamp.echo', summary: 'Gives back what it is given', input: data, output: data });

export const lamp = (number: number): z.infer<typeof data> => ({ number, name: 'the lamp over the table', on: number % 2 === 0, level: 42.5, note: 'dimmed' });
