// The log of `domus up` itself: what it sees of its parts goes to <home>/logs/house.log, for `domus logs`, and what a person should
// know to its terminal, too.
import { createLog, ensureFolder, homePaths, type Log } from '@majordomus/runtime';
import { LogFile, logDefaults } from '@majordomus/supervisor';

/** pino's number of the level from which on a line is for the terminal. */
const warnLevel = 40;

export class HouseLog implements Disposable {
  readonly log: Log;
  readonly file: LogFile;

  /**
   * `print` shows a line in the terminal, which is quiet while all is well, unless it is asked for more.
   * @throws StartError HOME_NOT_WRITABLE
   */
  constructor({ home, logLevel }: { readonly home: string; readonly logLevel: string }, print: (text: string) => void) {
    this.file = new LogFile(ensureFolder(homePaths(home).logs), 'house', logDefaults, (error) => {
      print(`the log of the house cannot be written: ${String(error)}`);
    });
    this.log = createLog('house', logLevel, true, (text, entry) => {
      this.file.append([entry]);
      if (logLevel !== 'info' || levelOf(entry) >= warnLevel) print(text);
    });
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}

function levelOf(entry: string): number {
  const { level }: { readonly level: number } = JSON.parse(entry);
  return level;
}
