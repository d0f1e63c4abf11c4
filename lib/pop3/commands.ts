/**
 * The one place where words become bytes on the wire. A word with a control character would be a second
 * command, so it is refused, never cleaned: a password must go out as it is or not at all.
 */
export type Encoded = { readonly bytes: Buffer } | { readonly complaint: string };

/** `verb` and arguments as one line with exactly one CRLF, at its end; UTF-8, untrimmed. */
export function encodeCommand(verb: string, args: readonly string[], maxBytes: number): Encoded {
  for (const argument of args) {
    if (hasControl(argument))
      return { complaint: 'an argument has a control character (CR, LF, NUL, …) in it' };
    // A lone surrogate would silently become U+FFFD, and the password another one.
    if (!argument.isWellFormed()) return { complaint: 'an argument is not well-formed Unicode' };
  }
  const bytes = Buffer.from(`${[verb, ...args].join(' ')}\r\n`, 'utf8');
  if (bytes.length - 2 > maxBytes) return { complaint: `the command would be longer than ${maxBytes} bytes` };
  return { bytes };
}

/** C0 or DEL, in a string of any kind. */
function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
