// The effects of packagemanager on the house, by name: a test lets the process die before each (crash.test.ts).

/** What changes the house, in the order of an installation; then what puts the former version back, what tidies up, and what uninstalls. */
export const effects = [
  'make staging', 'fetch', 'unpack', 'copy', 'install dependencies', 'sync', 'make package folder', 'rename into place', 'write record',
  'begin change', 'store schema', 'set values', 'write link', 'switch link', 'restart',
  'note verdict', 'keep log', 'turn back', 'write link back', 'switch link back', 'restore schema', 'revert values', 'restart former',
  'keep previous', 'end change', 'discard', 'remove discarded', 'forget values',
] as const;
export type Effect = (typeof effects)[number];
/** Called before each effect: where a test lets the process die. */
export type BeforeEffect = (effect: Effect) => void | Promise<void>;
