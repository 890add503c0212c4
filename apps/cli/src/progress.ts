// One line that says what is being done: rewritten in place on a terminal, a line for each step elsewhere.
import { escapeControls, shownSource } from '@majordomus/runtime';

export interface Progress {
  readonly step: (text: string) => void;
  /** Takes the line away, so that what comes next stands alone. */
  readonly clear: () => void;
}

const eraseLine = '\r\u001B[2K';
/** A terminal that does not say its width says 0. */
const defaultColumns = 80;

export function createProgress(stream: NodeJS.WriteStream): Progress {
  let shown = false;
  return {
    step(given) {
      const text = escapeControls(shownSource(given));
      // A line that is wider than the terminal would be two, of which only one is rewritten.
      stream.write(stream.isTTY ? `${eraseLine}${text.slice(0, Math.max(1, (stream.columns || defaultColumns) - 2))}…` : `${text}…\n`);
      shown = true;
    },
    clear() {
      if (shown && stream.isTTY) stream.write(eraseLine);
      shown = false;
    },
  };
}
