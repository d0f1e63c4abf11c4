import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilities } from '../../lib/pop3/capabilities.ts';
import { encodeCommand } from '../../lib/pop3/commands.ts';
import { escapeBytes } from '../../lib/pop3/escape.ts';
import { Listing } from '../../lib/pop3/listing.ts';
import { showWithout, WITHHELD } from '../../lib/pop3/masking.ts';
import { parseOctets, parseRow, parseStatus } from '../../lib/pop3/replies.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('a status line', () => {
  it.each([
    { line: '+OK', ok: true, code: null, text: '' },
    { line: '+OK ', ok: true, code: null, text: '' },
    { line: '+OK 2 messages', ok: true, code: null, text: '2 messages' },
    { line: '+ok lower case', ok: true, code: null, text: 'lower case' },
    { line: '-ERR', ok: false, code: null, text: '' },
    { line: '-ERR [IN-USE] locked', ok: false, code: 'IN-USE', text: '[IN-USE] locked' },
    {
      line: '-ERR [LOGIN-DELAY 300] later',
      ok: false,
      code: 'LOGIN-DELAY',
      text: '[LOGIN-DELAY 300] later',
    },
    { line: '-ERR [sys/temp] later', ok: false, code: 'SYS/TEMP', text: '[sys/temp] later' },
    { line: '-ERR not [IN-USE] at the front', ok: false, code: null, text: 'not [IN-USE] at the front' },
    { line: '-ERR [] empty', ok: false, code: null, text: '[] empty' },
  ])('is understood: $line', ({ line, ok, code, text }) => {
    const status = parseStatus(bytes(line));
    expect({ ...status, text: status?.text.toString('latin1') }).toEqual({ ok, code, text });
  });

  it.each(['', ' +OK', '+', '+O', '+OKAY', '-ERROR', '* OK IMAP4', '220 smtp', '.', '1 abc', '\0+OK'])(
    'is not guessed from %j',
    (line) => {
      expect(parseStatus(bytes(line))).toBeNull();
    },
  );
});

describe('a row', () => {
  it.each([
    { rows: '', line: '1 abc', number: 1, rest: 'abc' },
    { rows: 'P-11', line: '12   abc', number: 12, rest: 'abc' },
    { rows: 'L-03', line: '3 a b  c ', number: 3, rest: 'a b  c ' },
    { rows: 'L-03', line: '4 \xe9\xff', number: 4, rest: '\xe9\xff' },
    { rows: 'L-04', line: '7', number: 7, rest: '' },
    { rows: 'L-04', line: '7 ', number: 7, rest: '' },
    { rows: '', line: '8 abc\r', number: 8, rest: 'abc' },
    { rows: '', line: '0009 abc', number: 9, rest: 'abc' },
    { rows: 'U-02', line: ' \t9 abc', number: 9, rest: 'abc' },
    { rows: '', line: '9007199254740991 max', number: 9007199254740991, rest: 'max' },
  ])('is read leniently: $line $rows', ({ line, number, rest }) => {
    const row = parseRow(bytes(line));
    expect({ ...row, rest: row?.rest.toString('latin1') }).toEqual({ number, rest });
  });

  it.each([
    '',
    ' ',
    '0 abc',
    '-1 abc',
    '+1 abc',
    '1.5 abc',
    '1e3 abc',
    '0x1 a',
    '1abc',
    'abc',
    '9007199254740993 a',
    '1 a\rb',
    '1 a\nb',
    '1 a\0b',
    `${'9'.repeat(400)} a`,
  ])('is odd where its number is not one, or its id has a line end or NUL in it: %j', (line) => {
    expect(parseRow(bytes(line))).toBeNull();
  });

  it.each([
    ['100', 100],
    ['0', 0],
    ['5000000000', 5_000_000_000],
    ['100 extra', 100],
    ['-1', null],
    ['-1794967296', null],
    ['%!d(float64=5461)', null],
    ['12ab', null],
    ['', null],
    ['9007199254740993', null],
  ])('has octets, or null for what is no number: %j (L-08, L-09)', (rest, octets) => {
    expect(parseOctets(bytes(rest))).toBe(octets);
  });
});

describe('a listing', () => {
  const read = (pieces: readonly string[], bounds = { lineBytes: 40, rows: 3 }) => {
    const rows: string[] = [];
    const listing = new Listing(bounds, ({ number, rest }) =>
      rows.push(`${number}=${rest.toString('latin1')}`),
    );
    const whole = pieces.every((piece) => listing.push(bytes(piece)));
    return { whole, ...listing.end, visited: rows.length };
  };

  it('is the same at every split', () => {
    const wire = '1 a\r\nodd\r\n2 b c\r\n\r\n3\r\n4 d\r\n';
    const expected = { rows: 4, odd: 2, truncated: true, whole: true, visited: 3 };
    for (let at = 0; at <= wire.length; at++) {
      expect(read([wire.slice(0, at), wire.slice(at)])).toMatchObject(expected);
    }
    expect(read([...wire])).toMatchObject(expected);
  });

  it('of exactly as many rows as are kept is not truncated', () => {
    expect(read(['1 a\r\n2 b\r\n3 c\r\n'])).toMatchObject({ rows: 3, truncated: false, visited: 3 });
  });

  it('fails closed at a line that is longer than an id may be', () => {
    expect(read([`1 ${'x'.repeat(38)}\r\n`]).whole).toBe(true);
    expect(read([`1 ${'x'.repeat(41)}\r\n`]).whole).toBe(false);
  });
});

describe('parsers', () => {
  it('never throw, whatever the bytes', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
      fc
        .array(
          fc.constantFrom(
            '+OK',
            '-ERR',
            ' ',
            '[',
            ']',
            '/',
            '1',
            '0',
            '-',
            '\t',
            '\r',
            '\n',
            '\0',
            '\xff',
            '9'.repeat(20),
          ),
        )
        .map((parts) => bytes(parts.join(''))),
    );
    fc.assert(
      fc.property(line, (given) => {
        const buffer = Buffer.from(given);
        parseStatus(buffer);
        parseOctets(buffer);
        const row = parseRow(buffer);
        if (row !== null) expect(row.number).toBeGreaterThan(0);
        capabilities([escapeBytes(buffer)]);
        showWithout('secret')(buffer);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('capabilities', () => {
  it('are looked up in any case, with their words', () => {
    const found = capabilities([
      'SASL PLAIN  XOAUTH2',
      'Pipelining',
      'LOGIN-DELAY 300 USER',
      'EXPIRE 60',
      'X-ODD\\x1B',
    ]);
    expect(found.announced).toBe(true);
    expect(found.has('sasl')).toBe(true);
    expect(found.params('SASL')).toEqual(['PLAIN', 'XOAUTH2']);
    expect(found.pipelining).toBe(true);
    expect(found.loginDelaySeconds).toBe(300);
    expect(found.expire).toBe(60);
    expect(found.has('UIDL')).toBe(false);
    expect(found.params('UIDL')).toEqual([]);
  });

  it.each([
    [['EXPIRE NEVER'], 'never'],
    [['EXPIRENEVER'], 'never'],
    [['EXPIRE 0'], 0],
    [['EXPIRE soon'], null],
    [['EXPIRE'], null],
    [[], null],
  ] as const)('tell when the server removes mail by itself: %j', (lines, expire) => {
    expect(capabilities(lines).expire).toBe(expire);
  });

  it('are those of the first line, where a name comes twice', () => {
    expect(capabilities(['LOGIN-DELAY 60', 'LOGIN-DELAY 5']).loginDelaySeconds).toBe(60);
  });

  it('say that nothing was announced where CAPA was refused', () => {
    expect(capabilities(null)).toMatchObject({
      announced: false,
      pipelining: false,
      loginDelaySeconds: null,
      lines: [],
    });
  });

  it.each(['LOGIN-DELAY', 'LOGIN-DELAY x', 'LOGIN-DELAY -1', 'LOGIN-DELAY 99999999999'])(
    'do not guess from %j',
    (line) => {
      expect(capabilities([line]).loginDelaySeconds).toBeNull();
    },
  );
});

describe('a command', () => {
  it('is one line with one CRLF at its end, or is not written, for any strings', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('a\r\nDELE 1', '\n', 'a\0', '\x7f', '\ud800', 'grüße £'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 3 }), (args) => {
        const encoded = encodeCommand('PASS', args, 2048);
        if ('complaint' in encoded) return;
        const wire = encoded.bytes.toString('latin1');
        expect(wire.endsWith('\r\n')).toBe(true);
        expect(wire.slice(0, -2)).not.toMatch(/[\r\n]/);
        expect(encoded.bytes.toString('utf8')).toBe(`${['PASS', ...args].join(' ')}\r\n`);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses every C0 control and DEL, wherever it stands, and never quotes the argument', () => {
    for (const code of [...Array(32).keys(), 0x7f]) {
      for (const argument of [
        `${String.fromCharCode(code)}canary`,
        `can${String.fromCharCode(code)}ary`,
        `canary${String.fromCharCode(code)}`,
      ]) {
        const encoded = encodeCommand('USER', [argument], 2048);
        expect(encoded).toHaveProperty('complaint');
        expect(JSON.stringify(encoded)).not.toContain('canary');
      }
    }
  });

  it('keeps a password as it is: blanks, percent, colon, 8-bit (A-09)', () => {
    const password = ' p%a:ss £§é  ';
    const encoded = encodeCommand('PASS', [password], 2048);
    expect('bytes' in encoded && encoded.bytes.equals(Buffer.from(`PASS ${password}\r\n`, 'utf8'))).toBe(
      true,
    );
  });

  it('refuses what would become another password, or another command by being cut', () => {
    expect(encodeCommand('PASS', ['\udc00'], 2048)).toHaveProperty('complaint');
    expect(encodeCommand('PASS', ['x'.repeat(2044)], 2048)).toHaveProperty('complaint');
    expect(encodeCommand('PASS', ['x'.repeat(2043)], 2048)).toHaveProperty('bytes');
  });
});

describe('server text', () => {
  it.each([
    ['plain text', 'plain text'],
    ['\x1b[31mred\x07', '\\x1B[31mred\\x07'],
    ['a\r\nb\0', 'a\\x0D\\x0Ab\\x00'],
    ['back\\slash', 'back\\x5Cslash'],
    [Buffer.from('grüße', 'utf8').toString('latin1'), 'grüße'],
    ['\xb5\xc7\xc2\xbc', '\\xB5\\xC7\\xC2\\xBC'],
    [Buffer.from('\u009b1m', 'utf8').toString('latin1'), '\\x9B1m'],
    [Buffer.from('a\u202eb\u2028c', 'utf8').toString('latin1'), 'a\\u{202E}b\\u{2028}c'],
  ])('is shown so that no terminal or log can be misled: case %#', (raw, shown) => {
    expect(escapeBytes(bytes(raw))).toBe(shown);
  });

  it('never has a control character in it, nor more than 512 characters, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (given) => {
        const shown = escapeBytes(given);
        expect(shown.length).toBeLessThanOrEqual(512);
        for (const character of shown) expect(character.codePointAt(0)).toBeGreaterThanOrEqual(0x20);
        expect(shown).not.toMatch(/[\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      }),
    );
  });

  const secret = 'correct-horse-9';
  it.each([
    ['as it is', `-ERR unknown command PASS ${secret}`],
    ['in capitals', `-ERR UNKNOWN COMMAND PASS ${secret.toUpperCase()}`],
    ['cut short', `-ERR line too long: PASS ${secret.slice(0, 9)}`],
    ['in hex', `-ERR ${Buffer.from(secret).toString('hex')}`],
    ['in base64', `-ERR ${Buffer.from(secret).toString('base64')}`],
    ['in SASL PLAIN', `-ERR ${Buffer.from(`\0ferry\0${secret}`).toString('base64')}`],
    ['in base64 behind one more byte', `-ERR ${Buffer.from(`x${secret}`).toString('base64')}`],
  ])('is withheld where it repeats the secret %s', (_name, line) => {
    expect(showWithout(secret)(bytes(line))).toBe(WITHHELD);
  });

  it('is shown where it does not', () => {
    expect(showWithout(secret)(bytes('-ERR [AUTH] wrong password'))).toBe('-ERR [AUTH] wrong password');
    expect(showWithout('')(bytes('-ERR no'))).toBe('-ERR no');
  });
});
