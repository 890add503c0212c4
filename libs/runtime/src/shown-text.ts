// Text of others as a person may see it: with nothing in it that a terminal would obey, and without passwords. Pure.

/**
 * Control characters as `\x1b`, and the characters that turn the direction of writing or break a line as `\u202e`.
 * Tabs stay.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** A source as it may be shown: without the password of an address, or the token that some take for a name. */
export function shownSource(text: string): string {
  return text.replace(/(https?:\/\/)[^/@\s]+@/gi, '$1***@').replace(/\/\/([^/@:\s]*):[^/@\s]*@/g, '//$1:***@');
}
