// On whose behalf a command acts, for the history of the configuration: `ann@igor`. The bus knows no users: it is what the
// command says of itself.
import { hostname, userInfo } from 'node:os';
import { escapeControls } from '@majordomus/runtime';

/** What the house takes at most. */
const maxLength = 200;

export function whoAsks(): string {
  return escapeControls(`${userName()}@${hostname()}`).slice(0, maxLength);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A number that no name belongs to, as in some containers.
    return String(process.getuid?.() ?? 'somebody');
  }
}
