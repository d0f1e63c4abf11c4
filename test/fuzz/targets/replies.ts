import assert from 'node:assert/strict';
import { capabilities } from '../../../lib/pop3/capabilities.ts';
import { escapeBytes } from '../../../lib/pop3/escape.ts';
import { Listing, type ListingEnd } from '../../../lib/pop3/listing.ts';
import { showWithout, WITHHELD } from '../../../lib/pop3/masking.ts';
import { refusal, type Scope } from '../../../lib/pop3/refusals.ts';
import { parseOctets, parseRow, parseStatus } from '../../../lib/pop3/replies.ts';
import { chunked, seedsOf } from '../chunking.ts';
import { octetsOf, rowOf, statusOf } from '../references.ts';
import type { Target } from '../target.ts';

const SECRET = 'correct horse';
const shown = showWithout(SECRET);
const ECHOES = [
  SECRET.slice(2, 10),
  Buffer.from(SECRET).toString('hex'),
  Buffer.from(SECRET).toString('base64'),
];

const BOUNDS = { lineBytes: 32, rows: 3 };
const SHOWN_CAP = 60;
const SCOPES: readonly Scope[] = ['greeting', 'sign-in', 'mailbox', 'message'];
const CODE = /^E_POP3_[A-Z_]+$/;

/** What lines of a server mean is what the reference says; what is shown of them is safe to show. */
export const replies: Target = {
  name: 'replies',
  seeds: seedsOf(
    '+OK 2 messages\r\n-ERR [IN-USE] locked\r\n-ERR [SYS/TEMP]\r\n',
    '1 abc\r\n2   x y\r\n3\r\n4 \r\nodd\r\n0 a\r\n9007199254740993 b\r\n',
    '1 120\r\n2 -1794967296\r\n3 %!d(float64=1)\r\n4 100 more\r\n',
    'TOP\r\nEXPIRE NEVER\r\nLOGIN-DELAY 900 USER\r\nPIPELINING\r\nSASL PLAIN\r\nEXPIRENEVER\r\n',
    '+OK Gr\xc3\xbc\xc3\x9fe \xe2\x80\xae \xf0\x9f\x98\x80 \x1b[2J \\ \xff\r\n',
    `${SECRET}\r\n`,
  ),
  words: [
    '+OK',
    '-ERR',
    ' ',
    '\t',
    '\r\n',
    '\r',
    '\n',
    '\0',
    '[',
    ']',
    '/',
    '[AUTH]',
    '[SYS/PERM]',
    '[LOGIN-DELAY]',
    '[__proto__]',
    'constructor',
    '9007199254740991',
    '00',
    '\xe2\x80\x8f',
    '\xef\xbb\xbf',
    '\xd8\x9c',
    '\xed\xa0\x80',
    ...ECHOES,
  ],
  run(bytes) {
    const { whole, chunks } = chunked(bytes);
    const text = whole.toString('latin1');
    assert.deepEqual(listed(chunks), listingOf(text));
    for (const line of text.split('\r\n')) checkLine(Buffer.from(line, 'latin1'), line);
    checkCapabilities(text.split('\r\n').map((line) => escapeBytes(Buffer.from(line, 'latin1'))));
  },
};

function checkLine(bytes: Buffer, line: string): void {
  const status = parseStatus(bytes);
  assert.deepEqual(status && { ...status, text: status.text.toString('latin1') }, statusOf(line));
  const row = parseRow(bytes);
  assert.deepEqual(row && { ...row, rest: row.rest.toString('latin1') }, rowOf(line));
  assert.equal(parseOctets(bytes), octetsOf(line));
  for (const scope of SCOPES) {
    const { kind, code, next } = refusal(scope, status ?? { code: line.toUpperCase(), text: bytes });
    assert.match(code, CODE);
    assert.equal(scope === 'message' ? kind : 'refused', 'refused', 'one message is not the mailbox');
    assert.ok(next.length > 0);
  }
  checkShown(bytes, line);
}

/** Nothing that is invisible, moves a cursor, turns a line around or is not Unicode. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/u;

function checkShown(bytes: Buffer, line: string): void {
  const text = escapeBytes(bytes, SHOWN_CAP);
  assert.ok(text.length <= SHOWN_CAP && text.isWellFormed() && !UNSAFE.test(text), JSON.stringify(text));
  if (ECHOES.some((echo) => line.toLowerCase().includes(echo.toLowerCase())))
    assert.equal(shown(bytes), WITHHELD);
}

function checkCapabilities(lines: readonly string[]): void {
  const found = capabilities(lines);
  for (const name of ['UIDL', 'LOGIN-DELAY', 'constructor', '__proto__', ...lines.slice(0, 3)]) {
    const first = lines
      .map((line) => line.split(/[ \t]+/).filter(Boolean))
      .find(([word]) => word?.toUpperCase() === name.toUpperCase());
    assert.equal(found.has(name), first !== undefined);
    assert.deepEqual(found.params(name), first?.slice(1) ?? []);
  }
  for (const count of [found.loginDelaySeconds, found.expire]) {
    assert.ok(count === null || count === 'never' || (Number.isSafeInteger(count) && count >= 0));
  }
}

type Listed = ListingEnd & { readonly visited: readonly string[]; readonly tooLong: boolean };

function listed(chunks: readonly Buffer[]): Listed {
  const visited: string[] = [];
  const listing = new Listing(BOUNDS, ({ number, rest }) =>
    visited.push(`${number} ${rest.toString('latin1')}`),
  );
  const whole = chunks.every((chunk) => listing.push(chunk));
  return { ...listing.end, visited, tooLong: !whole };
}

function listingOf(text: string): Listed {
  const lines = text.split('\r\n');
  const long = lines.findIndex((line, index) => {
    const held = index < lines.length - 1 ? `${line}\r\n` : line;
    return line.length > BOUNDS.lineBytes && held.length >= BOUNDS.lineBytes + 2;
  });
  const whole = long < 0 ? lines.slice(0, -1) : lines.slice(0, long);
  const rows = whole.map(rowOf).filter((row) => row !== null);
  return {
    rows: rows.length,
    odd: whole.length - rows.length,
    truncated: rows.length > BOUNDS.rows,
    visited: rows.slice(0, BOUNDS.rows).map(({ number, rest }) => `${number} ${rest}`),
    tooLong: long >= 0,
  };
}
