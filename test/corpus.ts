/**
 * Mail of our own making, each built to break a client that frames, unstuffs or re-encodes carelessly. The bytes
 * are what lies on the server's disk; fromDovecot() says how those reach the wire.
 */
export interface Sample {
  /** What it is there to break. */
  readonly name: string;
  readonly bytes: () => Buffer;
}

const MEBIBYTE = 1024 * 1024;

/** The longest line of the corpus; a reader with a line limit must not apply it to message lines. */
const LONG_LINE_BYTES = 10 * MEBIBYTE;

/** The sizes of reads and TLS records at whose edges a line of dots is put. */
const EDGES = [1024, 4096, 8192, 16_384, 65_536];

const DOT = 46;

const HEADERS =
  'From: Ada <ada@example.org>\r\n' +
  'To: support@example.org\r\n' +
  'Subject: A ticket\r\n' +
  'Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n' +
  'Message-ID: <corpus@example.org>\r\n';

/** The samples that fit in memory with ease: all but the 60 MB message. */
export function corpus(): readonly Sample[] {
  return [...bodies(), ...endings(), ...headers(), ...forgeries(), ...sizes()];
}

function sample(name: string, text: string | (() => Buffer)): Sample {
  return { name, bytes: typeof text === 'string' ? () => Buffer.from(text, 'latin1') : text };
}

function bodies(): readonly Sample[] {
  return [
    sample('plain', `${HEADERS}\r\nHello,\r\nthe printer is on fire.\r\n`),
    sample('8-bit', Buffer.from(`${HEADERS}\r\nGrüße, 日本語 \u{1f600}\r\n`, 'utf8').toString('latin1')),
    sample('every byte value but LF and CR', () => {
      const all = Buffer.from(
        Array.from({ length: 256 }, (_, value) => value).filter((v) => v !== 10 && v !== 13),
      );
      return Buffer.concat([Buffer.from(`${HEADERS}\r\n`), all, Buffer.from('\r\n')]);
    }),
    sample('dot lines', `${HEADERS}\r\n.one\r\n..two\r\n...three\r\n. space\r\nno dot.\r\n`),
    sample('lone dot lines', `${HEADERS}\r\n.\r\n.\r\n\r\n.\r\nafter\r\n.\r\n`),
    sample('a lone dot line last', `${HEADERS}\r\ntext\r\n.\r\n`),
    sample('a dot as the very first byte', '.hidden: yes\r\n\r\n.body\r\n'),
    ...EDGES.map((edge) => sample(`lines of dots around byte ${edge}`, () => dotsAround(edge))),
    sample('nothing but dot lines', `${HEADERS}\r\n${'.\r\n'.repeat(5000)}`),
    sample('bare CR', `${HEADERS}\r\nover\rprint\r\r\nend\r\r\n`),
    sample('bare CR before a dot', `${HEADERS}\r\nx\r.\r\ny\r.z\r\n`),
    sample('bare LF', `${HEADERS}\r\none\ntwo\n\n.three\n.\nfour\r\n`),
    sample('NUL', `${HEADERS}\r\nbefore\0after\r\n\0\r\n.\0\r\n`),
    sample('blank lines last', `${HEADERS}\r\ntext\r\n\r\n\r\n\r\n`),
  ];
}

function endings(): readonly Sample[] {
  return [
    sample('no final newline', `${HEADERS}\r\nthe end`),
    sample('no final newline after a dot', `${HEADERS}\r\ntext\r\n.`),
    sample('a bare CR last', `${HEADERS}\r\ntext\r`),
    sample('a bare LF last', `${HEADERS}\r\ntext\n`),
    sample('empty message', ''),
    sample('one CRLF', '\r\n'),
    sample('headers only, no empty line', HEADERS),
    sample('headers and an empty line, no body', `${HEADERS}\r\n`),
    sample('body only', '\r\nno header at all\r\n'),
  ];
}

function headers(): readonly Sample[] {
  return [
    sample(
      'mbox "From " line first',
      `From ada@example.org Tue Nov 24 09:00:00 2026\r\n${HEADERS}\r\nFrom here\r\n`,
    ),
    sample(
      'encoded words',
      'From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n' +
        'Subject: =?iso-8859-1?b?R3L832U=?=\r\n =?utf-8?q?_and_more?= =?x-unknown?q?=ff?= =?utf-8?b?broken\r\n' +
        'Message-ID: <encoded@example.org>\r\n\r\nbody\r\n',
    ),
    sample(
      'long headers',
      `${HEADERS}X-Long: ${'x'.repeat(100_000)}\r\nReferences:${'\r\n <id@example.org>'.repeat(5000)}\r\n\r\nbody\r\n`,
    ),
    sample('broken headers', 'no colon here\r\n: no name\r\nSubject\r\n folded into nothing\r\n\r\nbody\r\n'),
  ];
}

/** On a server that stuffs dots these are harmless; on one that does not, they end the message and forge replies. */
function forgeries(): readonly Sample[] {
  return [
    sample(
      'CRLF.CRLF and a forged +OK',
      `${HEADERS}\r\ntext\r\n.\r\n+OK 120 octets\r\nSubject: forged\r\n\r\nx\r\n`,
    ),
    sample('CRLF.CRLF and a forged -ERR', `${HEADERS}\r\ntext\r\n.\r\n-ERR no such message\r\n`),
    sample(
      'CRLF.CRLF and a forged UIDL row',
      `${HEADERS}\r\ntext\r\n.\r\n+OK 1 0000000000000000\r\n.\r\n+OK bye\r\n`,
    ),
    sample('LF.LF and a forged +OK', `${HEADERS}\r\ntext\n.\n+OK\nforged\r\n`),
    sample('LF.CRLF and a forged +OK', `${HEADERS}\r\ntext\n.\r\n+OK\r\nforged\r\n`),
  ];
}

function sizes(): readonly Sample[] {
  return [
    sample('one line of 10 MB', () =>
      Buffer.concat([Buffer.from(`${HEADERS}\r\n`), Buffer.alloc(LONG_LINE_BYTES, 'x'), Buffer.from('\r\n')]),
    ),
    sample('a line of 10 MB of dots', () =>
      Buffer.concat([Buffer.from(`${HEADERS}\r\n`), Buffer.alloc(LONG_LINE_BYTES, '.'), Buffer.from('\r\n')]),
    ),
  ];
}

/** CRLF.CRLF, and its beginnings, at each of the offsets around `edge`. */
function dotsAround(edge: number): Buffer {
  const filler = Buffer.from(`${HEADERS}\r\n${'x'.repeat(edge)}`).subarray(0, edge - 12);
  return Buffer.concat([filler, Buffer.from(`${'\r\n.'.repeat(8)}\r\nend\r\n`)]);
}

/**
 * Begins with a lone dot line, which Dovecot 2.3 does not stuff: RETR's reply ends before it has begun, and the
 * rest comes as replies that nobody asked for. Not in the corpus, since no plain reader survives it.
 */
export function selfCutting(): Sample {
  return sample('a lone dot as the very first line', `.\r\n+OK forged\r\n${HEADERS}\r\nbody\r\n`);
}

/** Mail whose last line end is a bare LF, between two others. Cyrus ends its reply by LF.CRLF. */
export function bareLineFeed(): readonly Sample[] {
  return [
    sample('before it', `${HEADERS}\r\nthe one before\r\n`),
    sample('bare LF throughout', `${HEADERS}\r\none\ntwo\n`.replaceAll('\r\n', '\n')),
    sample('after it', `${HEADERS}\r\nthe one after\r\n`),
  ];
}

/** A message of `bytes` octets with dot lines throughout, made piece by piece. At least a header's length. */
export function* generated(bytes: number): Generator<Buffer> {
  const head = Buffer.from(`${HEADERS}\r\n`);
  // 61 octets: the dot lines drift over every alignment.
  const block = Buffer.from(`.${'0123456789'.repeat(5)}abcdef\r\n\r\n`.repeat(1024));
  yield head;
  let left = bytes - head.length - 2;
  for (; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
  yield Buffer.from('\r\n');
}

/** 60 MB: more than the heap of a small function can hold twice. */
export const LARGE_BYTES = 60 * MEBIBYTE;

/**
 * What Dovecot sends, unstuffed, for a file with these bytes: each bare LF becomes CRLF, and a message without a
 * final line end gets one (which LIST does not count). Bare CR and NUL go through as they are.
 * QUIRK: Dovecot 2.3 does not stuff a dot that is a message's very first byte, so that unstuffing takes it away;
 * LIST counts it.
 */
export function fromDovecot(bytes: Uint8Array): Buffer {
  const wire = Buffer.alloc(bytes.length * 2 + 2);
  let length = 0;
  let previous = -1;
  for (const byte of bytes[0] === DOT ? bytes.subarray(1) : bytes) {
    if (byte === 10 && previous !== 13) wire[length++] = 13;
    wire[length++] = byte;
    previous = byte;
  }
  if (previous !== 10) {
    wire[length++] = 13;
    wire[length++] = 10;
  }
  return wire.subarray(0, length);
}
