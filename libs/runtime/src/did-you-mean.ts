// The name that a person may have meant by a mistyped one.
import { distance } from 'fastest-levenshtein';

/** Names are short; a longer word is no mistyped name, and not worth comparing. */
const maxLength = 256;

/** The known name that is nearest to `name`, if few letters differ. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxLength) return undefined;
  let nearest: string | undefined;
  let least = Math.ceil(name.length * 0.4) + 1;
  for (const candidate of known) {
    const differs = distance(name, candidate);
    if (differs < least) [nearest, least] = [candidate, differs];
  }
  return nearest;
}
