// One line that says what is being done: rewritten in place on a terminal, a line for each step elsewhere.

export interface Progress {
  readonly step: (text: string) => void;
  /** Takes the line away, so that what comes next stands alone. */
  readonly clear: () => void;
}

const eraseLine = '\r\u001B[2K';

export function createProgress(stream: NodeJS.WriteStream): Progress {
  let shown = false;
  return {
    step(text) {
      stream.write(stream.isTTY ? `${eraseLine}${text}…` : `${text}…\n`);
      shown = true;
    },
    clear() {
      if (shown && stream.isTTY) stream.write(eraseLine);
      shown = false;
    },
  };
}
