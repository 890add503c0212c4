// Makes what was found small: leaves out more and more of the inputs as long as what is left still fails. Each try starts the
// target anew, so their number is bounded.

/** The fewest inputs that still fail, as far as `tries` tries tell; all of them if nothing can be left out. */
export async function smaller<T>(inputs: readonly T[], fails: (inputs: readonly T[]) => Promise<boolean>, tries: number): Promise<readonly T[]> {
  let left = inputs;
  let parts = 2;
  let tried = 0;
  while (left.length > 1 && tried < tries) {
    const size = Math.ceil(left.length / parts);
    let isSmaller = false;
    for (let from = 0; from < left.length && tried < tries; from += size) {
      const part = left.slice(from, from + size);
      tried += 1;
      if (part.length < left.length && (await fails(part))) {
        left = part;
        parts = 2;
        isSmaller = true;
        break;
      }
    }
    if (isSmaller) continue;
    if (size === 1) break;
    parts *= 2;
  }
  return left;
}
