import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { Pop3Error } from '../../lib/pop3/errors.ts';
import { CALLS, noRow } from './calls.ts';
import { FakeTimer, settled } from './fakeTimer.ts';
import { failure, HandLine, handSession } from './handLine.ts';

describe('opening', () => {
  const open = (line: HandLine) => {
    const timer = new FakeTimer();
    return Pop3Client.open(line, { timer, deadlineMs: timer.now() + 1000 });
  };

  it.each([
    ['+OK\r\n', ''],
    ['+OK X POP3 server ready <a.b.c>\r\n', 'X POP3 server ready <a.b.c>'],
    ['+OK logged in, go ahead \x1b[2J\r\n', 'logged in, go ahead \\x1B[2J'],
  ])('takes the greeting for what it is, prose: %j (G-01)', async (said, greeting) => {
    const line = new HandLine().say(said);
    const client = await open(line);
    expect(client.greeting).toBe(greeting);
    expect(line.heard).toEqual([]);
  });

  it.each([
    ['-ERR go away\r\n', 'later', 'E_POP3_GREETING_REFUSED'],
    ['-ERR too many connections\r\n', 'later', 'E_POP3_THROTTLED'],
    ['-ERR [SYS/TEMP] maintenance\r\n', 'later', 'E_POP3_SYS_TEMP'],
    ['-ERR [SYS/PERM] closed for good\r\n', 'person', 'E_POP3_SYS_PERM'],
    ['* OK IMAP4rev1 ready\r\n', 'person', 'E_POP3_OTHER_PROTOCOL'],
    ['220-mx.example.org ESMTP\r\n', 'person', 'E_POP3_OTHER_PROTOCOL'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'person', 'E_POP3_OTHER_PROTOCOL'],
    ['HTTP/1.1 400 Bad Request\r\n', 'person', 'E_POP3_OTHER_PROTOCOL'],
    ['ready\r\n', 'broken', 'E_POP3_NOT_POP3'],
    ['\r\n+OK ready\r\n', 'broken', 'E_POP3_NOT_POP3'],
    ['+OK ready\n', 'broken', 'E_POP3_BARE_LF'],
  ])('refuses %j and drops the line', async (said, kind, code) => {
    const line = new HandLine().say(said);
    expect(await failure(open(line))).toMatchObject({ kind, code, phase: 'greeting' });
    expect(line.destroyed).toBe(true);
    expect(line.heard).toEqual([]);
  });
});

describe('each command', () => {
  // CAPA's -ERR is an answer, QUIT's is the end: both are below.
  const refusable = CALLS.filter(({ name }) => name !== 'capa' && name !== 'quit');
  it.each(refusable)('$name: is one write, and -ERR leaves the connection good', async ({ call, wire }) => {
    const { line, client } = await handSession();
    line.heard.length = 0;
    const pending = failure<Pop3Error>(call(client));
    await settled();
    expect(line.heard).toEqual([wire]);
    line.say('-ERR no\r\n');
    const error = await pending;
    expect(error).toBeInstanceOf(Pop3Error);
    expect(error.reply).toBe('-ERR no');
    expect(error.message).toContain('-ERR no');
    expect(client.closedBy).toBeNull();
    const again = client.noop();
    await settled();
    line.say('+OK\r\n');
    await again;
  });

  it.each(CALLS)(
    '$name: bytes that nobody asked for end the session before anything is written (R-18)',
    async ({ call }) => {
      const { line, client } = await handSession();
      line.heard.length = 0;
      line.say('-ERR Autologout; idle for too long\r\n');
      const error = await failure<Pop3Error>(call(client));
      expect(error).toMatchObject({ kind: 'broken', code: 'E_POP3_UNSOLICITED', unsent: true });
      expect(error.message).toContain('Autologout');
      expect(line.heard).toEqual([]);
      expect(line.destroyed).toBe(true);
    },
  );

  it.each(CALLS)(
    '$name: an empty line or other garbage for a status is no status (G-07)',
    async ({ call }) => {
      for (const garbage of ['\r\n', 'OK\r\n', '+OKAY\r\n', 'HTTP/1.1 400 Bad Request\r\n']) {
        const { line, client } = await handSession();
        const pending = failure(call(client));
        await settled();
        line.say(garbage);
        expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_NOT_POP3' });
        expect(line.destroyed).toBe(true);
      }
    },
  );

  it.each(CALLS)('$name: a status line without end is cut off at the limit (G-11)', async ({ call }) => {
    const { line, client } = await handSession();
    const pending = failure(call(client));
    await settled();
    for (let count = 0; count < 20; count++) line.say('+OK '.repeat(256));
    expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_LINE_TOO_LONG' });
    expect(client.bytesIn).toBeLessThan(12 * 1024);
    expect(line.destroyed).toBe(true);
  });

  it.each(CALLS)(
    '$name: rejects at once on a poisoned session, with the first reason as cause (D6)',
    async ({ call }) => {
      const { line, client } = await handSession();
      const pending = failure(client.noop());
      await settled();
      line.say('garbage\r\n');
      const first = await pending;
      line.heard.length = 0;
      line.say('+OK a late answer\r\n.\r\n');
      const later = await failure<Pop3Error>(call(client));
      expect(later).toMatchObject({ kind: 'lost', code: 'E_POP3_CLOSED' });
      expect(later.cause).toBe(first);
      expect(client.closedBy).toBe(first);
      expect(line.heard).toEqual([]);
    },
  );

  it('is refused while another is not answered, and the other goes on', async () => {
    const { line, client } = await handSession();
    const first = client.noop();
    await settled();
    expect((await failure(client.dele(1))).message).toContain('NOOP');
    line.say('+OK\r\n');
    await first;
    expect(line.heard).toEqual(['NOOP\r\n']);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1\r\nDELE 2' as unknown as number])(
    'is a RangeError for the message number %s, and nothing is written (T9)',
    async (number) => {
      const { line, client } = await handSession();
      for (const call of [
        () => client.uidlOf(number),
        () => client.listOf(number),
        () => client.retr(number, noRow),
        () => client.top(number, 0, noRow),
        () => client.dele(number),
      ]) {
        expect(await failure(call())).toBeInstanceOf(RangeError);
      }
      expect(await failure(client.top(1, -1, noRow))).toBeInstanceOf(RangeError);
      expect(line.heard).toEqual([]);
      expect(client.closedBy).toBeNull();
    },
  );

  it.each([
    ['u\r\nDELE 1', 'p'],
    ['u', 'p\r\nDELE 1'],
    ['u\0', 'p'],
    ['u', '\x7f'],
    ['u', 'p\n'],
    ['u', 'x'.repeat(3000)],
  ])('of signing in with a control character is not written: case %#', async (user, password) => {
    const { line, client } = await handSession();
    line.say();
    const pending = failure(client.signIn(user, password));
    await settled();
    if (line.heard.length > 0) line.say('+OK\r\n');
    expect(await pending).toMatchObject({ kind: 'person', code: 'E_POP3_ARGUMENT' });
    expect(line.heard.join('')).toMatch(/^(USER u\r\n)?$/);
    expect(client.closedBy).toBeNull();
  });
});

describe('signing in', () => {
  const answers = async (user: string, pass: string | null) => {
    const { line, client } = await handSession();
    const pending = failure<Pop3Error>(client.signIn('ferry', 'se cret'));
    await settled();
    line.say(user);
    await settled();
    if (pass === null) line.end();
    else line.say(pass);
    return { error: await pending, line, client };
  };

  it.each([
    ['-ERR\r\n', 'person', 'E_POP3_SIGNIN_REFUSED'],
    ['-ERR Logon failure: unknown user name or bad password.\r\n', 'person', 'E_POP3_SIGNIN_REFUSED'],
    ['-ERR [AUTH] no\r\n', 'person', 'E_POP3_AUTH'],
    ['-ERR [SYS/PERM] no\r\n', 'person', 'E_POP3_SYS_PERM'],
    ['-ERR [SYS/TEMP] no\r\n', 'later', 'E_POP3_SYS_TEMP'],
    ['-ERR [IN-USE] locked\r\n', 'later', 'E_POP3_IN_USE'],
    ['-ERR [LOGIN-DELAY] wait\r\n', 'later', 'E_POP3_LOGIN_DELAY'],
    ['-ERR [X-ODD] no\r\n', 'person', 'E_POP3_SIGNIN_REFUSED'],
  ])('refused with %j is %s, %s; the connection is good', async (said, kind, code) => {
    const afterPass = await answers('+OK\r\n', said);
    expect(afterPass.error).toMatchObject({ kind, code, phase: 'sign-in', command: 'PASS' });
    expect(afterPass.client.closedBy).toBeNull();
    const { line, client } = await handSession();
    const pending = failure(client.signIn('ferry', 'se cret'));
    await settled();
    line.say(said);
    expect(await pending).toMatchObject({ kind, code, command: 'USER' });
    expect(line.heard).toEqual(['USER ferry\r\n']);
  });

  it('writes nothing behind PASS before its answer', async () => {
    const { line, client } = await handSession();
    const pending = client.signIn('ferry', 'se cret ');
    await settled();
    expect(line.heard).toEqual(['USER ferry\r\n']);
    line.say('+OK\r\n');
    await settled();
    expect(line.heard).toEqual(['USER ferry\r\n', 'PASS se cret \r\n']);
    line.say('+OK\r\n');
    await pending;
  });

  it('whose PASS is answered by hanging up is neither a refusal nor an outage: try later (A-05)', async () => {
    const { error, line } = await answers('+OK\r\n', null);
    expect(error).toMatchObject({ kind: 'later', code: 'E_POP3_SIGNIN_DROPPED', command: 'PASS' });
    expect(line.destroyed).toBe(true);
  });

  it('whose PASS is answered by half a line is just a lost line', async () => {
    const { line, client } = await handSession();
    const pending = failure(client.signIn('ferry', 'secret'));
    await settled();
    line.say('+OK\r\n');
    await settled();
    line.say('-ER').end();
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_EOF' });
  });
});

describe('capabilities', () => {
  it('are read to the dot, escaped', async () => {
    const { line, client } = await handSession();
    const pending = client.capa();
    await settled();
    line.say('+OK\r\nTOP\r\nSASL PLAIN\r\nX-\x1b\r\n.\r\n');
    expect((await pending).lines).toEqual(['TOP', 'SASL PLAIN', 'X-\\x1B']);
  });

  it('that are refused are none, and the connection is good', async () => {
    for (const said of ['-ERR\r\n', '-ERR [SYS/TEMP] no\r\n']) {
      const { line, client } = await handSession();
      const pending = client.capa();
      await settled();
      line.say(said);
      expect((await pending).announced).toBe(false);
      expect(client.closedBy).toBeNull();
    }
  });

  it('that end in a hang-up are an error (G-02)', async () => {
    const { line, client } = await handSession();
    const pending = failure(client.capa());
    await settled();
    line.end();
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_EOF', phase: 'capa' });
  });

  it('without end stop at their limit', async () => {
    const { line, client } = await handSession();
    const pending = failure(client.capa());
    await settled();
    line.say('+OK\r\n');
    line.read = async () => Buffer.from('X-MORE\r\n'.repeat(1000));
    expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_TOO_LARGE' });
  });
});
