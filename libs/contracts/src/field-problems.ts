// What is wrong with the fields of something: one reason for each, by the path of the field. Pure.
import type { z } from 'zod';
import { issueWords } from './issue-words.ts';

/** A reason for each key or field that was refused. */
export type FieldProblems = Readonly<Record<string, string>>;

/** How many wrong fields are told of at once: an answer stays small, whatever was asked. */
const maxFields = 50;

/** The first reason for each field that a schema refused; what concerns no single field stands under `whole`. */
export function fieldProblems(issues: readonly z.core.$ZodIssue[], whole = 'data'): FieldProblems {
  const fields = new Map<string, string>();
  const add = (path: readonly PropertyKey[], reason: string): void => {
    const field = path.length === 0 ? whole : path.map(String).join('.');
    if (fields.size < maxFields && !fields.has(field)) fields.set(field, reason);
  };
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) add([...issue.path, key], 'is not known');
    else if (issue.code === 'invalid_key') add(issue.path, issueWords(issue.issues[0] ?? issue));
    else add(issue.path, issueWords(issue));
  }
  // Not by assignment: a field may be called __proto__.
  return Object.fromEntries(fields);
}

/** One line for a person: `limit: must be at most 100, not 300; mount: is not known`. */
export function problemsText(problems: FieldProblems): string {
  return Object.entries(problems).map(([field, reason]) => `${field}: ${reason}`).join('; ');
}
