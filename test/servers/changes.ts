/** What real servers do to mail, each as the change that it makes to the bytes (as Latin-1). */
import type { Change } from './mailServer.ts';

const change = (words: string, of: Change['of']): Change => ({ words, of });

export const BARE_LF_TO_CRLF = change('bare LF becomes CRLF', (message) =>
  message.replace(/(?<!\r)\n/g, '\r\n'),
);

/** Not counted by LIST on Dovecot and Courier. */
export const FINAL_CRLF_ADDED = change('a final CRLF is added', (message) =>
  message.endsWith('\n') ? message : `${message}\r\n`,
);

export const CRCRLF_TO_CRLF = change('CR CR LF becomes CR LF', (message) =>
  message.replace(/\r+\r\n/g, '\r\n'),
);

/** The server does not stuff a dot that is the message's very first byte, and unstuffing takes it away. */
export const FIRST_DOT_LOST = change('a dot that is the very first byte is not stuffed', (message) =>
  message.replace(/^\./, ''),
);

export const NUL_CUTS_LINE = change(
  'what stands from a NUL to the end of its line is cut, and the line end too but for the last',
  (message) => message.replace(/\0[^\n]*\n$/, '\r\n').replace(/\0[^\n]*\n/g, ''),
);

export const HEADERLESS_EMPTIED = change(
  'what has no header, or no empty line behind it, comes out empty',
  (message) => (/^\r\n/.test(message) || !message.includes('\r\n\r\n') ? '\r\n' : message),
);

export const BROKEN_HEADER_LOST = change('a header whose first line has no colon is lost', (message) =>
  /^[^:\r]+\r\n/.test(message) ? message.slice(message.indexOf('\r\n\r\n') + 2) : message,
);

export const FROM_LINE_TO_FIELD = change('a first line "From " becomes a field "From :"', (message) =>
  message.replace(/^From (?=\S)/, 'From : '),
);

export const BLANK_BEHIND_COLON = change('a blank is put behind a colon that ends its line', (message) =>
  message.replace(/^([\w-]+):(?=\r\n )/m, '$1: '),
);

/** Our own doing: who writes an mbox has to. */
export const FROM_QUOTED = change('">" stays before lines that begin with "From "', (message) =>
  message.replace(/^(?=From )/gm, '>'),
);

/** As Java's `trim` has it: all up to the blank. */
export const END_TRIMMED = change(
  'line ends, blanks and control characters at the end become one CRLF',
  (message) => message.replace(/[\0-\x20]*$/, '\r\n'),
);

export const DOTS_STUFFED_TWICE = change(
  'a dot behind a bare CR or bare LF is stuffed, and stays two',
  (message) => message.replace(/((?<!\r)\n|\r)\./g, '$1..'),
);

export const FIRST_BLANK_CUT = change('a blank line at the very beginning is cut', (message) =>
  message.replace(/^\r?\n/, ''),
);

/** Mail that is put into a maildir or an mbox has the system's line ends, as a delivery agent gives it. */
export function withLineFeeds(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}

export const HEADER_ENDED = change('an empty line is added behind headers that have none', (message) =>
  /^\r\n|\r\n\r\n/.test(message) ? message : `${message}\r\n`,
);
