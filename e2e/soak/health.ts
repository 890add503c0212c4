// Whether a house under load was well all along: nobody is gone or was started anew unasked, and few calls failed. Pure.

export interface Turns {
  readonly turns: number;
  readonly failed: number;
}

export interface Health {
  /** Who ran, and does not run after the load. */
  readonly gone: readonly string[];
  /** How often each process was seen to be another one than before. */
  readonly restarts: ReadonlyMap<string, number>;
  /** How often the load asked for a new start of each. */
  readonly asked: ReadonlyMap<string, number>;
  /** How the calls of each kind ended. */
  readonly calls: ReadonlyMap<string, Turns>;
}

/** Of the calls of a kind; one may fail in any case, if another succeeds. */
const toleratedPercent = 1;

/** What was not well, a line each. */
export function healthProblems({ gone, restarts, asked, calls }: Health): string[] {
  return [
    ...gone.map((name) => `${name} is gone`),
    ...[...restarts].flatMap(([name, count]) => {
      const wanted = asked.get(name) ?? 0;
      return count <= wanted ? [] : [`${name} was started anew ${times(count)}, and ${wanted === 0 ? 'nobody asked for it' : `asked to ${times(wanted)}`}`];
    }),
    ...[...calls].flatMap(([kind, { turns, failed }]) => {
      const isTolerated = failed === 0 || (failed < turns && failed <= Math.max(1, (turns * toleratedPercent) / 100));
      return isTolerated ? [] : [`${failed} of ${turns} turns of ${kind} failed`];
    }),
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
