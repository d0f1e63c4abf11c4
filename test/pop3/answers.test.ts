import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pop3Client } from '../../lib/pop3/client.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { noRow } from './calls.ts';
import { settled } from './fakeTimer.ts';
import { collector, failure, handSession } from './handLine.ts';
import { liveBytes } from './liveBytes.ts';

function hashed(id: string): string {
  return `sha256:${createHash('sha256').update(id).digest('hex')}`;
}

describe('a body', () => {
  it('is handed over unstuffed, and counted', async () => {
    const { line, client } = await handSession();
    const body = collector();
    const pending = client.retr(1, body.take);
    await settled();
    line.say('+OK 99 octets\r\nA: b\r\n\r\n..dot\r\n.\r\n');
    expect(await pending).toEqual({ octets: 14, unstuffed: false });
    expect(body.text()).toBe('A: b\r\n\r\n.dot\r\n');
  });

  it('holds the server back while the taker is busy', async () => {
    const { line, client } = await handSession();
    let release = () => {};
    const pending = client.retr(1, () => new Promise<void>((resolve) => (release = resolve)));
    await settled();
    line.say('+OK\r\n', 'first\r\n', 'second\r\n', '.\r\n');
    await settled();
    const reads = line.reads;
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(line.reads).toBe(reads);
    expect(line.unread).toBe('second\r\n.\r\n'.length);
    release();
    await settled();
    expect(line.reads).toBe(reads + 1);
    release();
    expect(await pending).toEqual({ octets: 15, unstuffed: false });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('whose taker %s drops the line, and the taker’s own error comes out', async (_how, take) => {
    const { line, client } = await handSession();
    const pending = failure(client.retr(1, take));
    await settled();
    line.say('+OK\r\nx\r\n.\r\n');
    const error = await pending;
    expect(error.message).toBe('disk full');
    expect(line.destroyed).toBe(true);
    expect(client.closedBy).toBe(error);
  });

  it('followed by more bytes is not believed (R-03)', async () => {
    const { line, client } = await handSession();
    const pending = failure<Pop3Error>(client.retr(1, noRow));
    await settled();
    line.say('+OK 5000 octets\r\nfirst half\r\n.\r\nsecond half\r\n.\r\n');
    const error = await pending;
    expect(error).toMatchObject({ code: 'E_POP3_UNSOLICITED', command: 'RETR 1', unsent: false });
    expect(error.reply).toContain('second half');
  });

  it('larger than allowed ends, and not one octet too many is handed over', async () => {
    const { line, client } = await handSession();
    const body = collector();
    const pending = failure(client.retr(1, body.take, { maxOctets: 10 }));
    await settled();
    line.say('+OK\r\n12345678', '90', 'x');
    expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_TOO_LARGE' });
    expect(body.text()).toBe('1234567890');
    expect(line.destroyed).toBe(true);
  });

  it('of exactly the allowed size is fine', async () => {
    const { line, client } = await handSession();
    const pending = client.retr(1, noRow, { maxOctets: 10 });
    await settled();
    line.say('+OK\r\n12345678\r\n.\r\n');
    expect(await pending).toEqual({ octets: 10, unstuffed: false });
  });

  it('in a million reads of one byte is framed like any other', async () => {
    const { line, client } = await handSession();
    const pending = client.retr(1, noRow);
    await settled();
    line.say('+OK\r\n');
    let left = 1_000_000;
    const one = Buffer.from('x');
    line.read = async () => (left-- > 0 ? one : Buffer.from('\r\n.\r\n'));
    expect(await pending).toEqual({ octets: 1_000_002, unstuffed: false });
  });
});

describe('a listing', () => {
  it('visits numbers with their ids, bytes kept, blank ids as empty (L-03, L-04)', async () => {
    const { line, client } = await handSession();
    const rows: unknown[] = [];
    const pending = client.uidl((number, uidl) => rows.push([number, uidl]));
    await settled();
    line.say('+OK\r\n1 abc\r\n2   a b\r\n3 \r\n5 \xe9\r\nwhat\r\n.\r\n');
    expect(await pending).toEqual({ rows: 4, truncated: false, odd: 1 });
    expect(rows).toEqual([
      [1, 'abc'],
      [2, 'a b'],
      [3, ''],
      [5, '\xe9'],
    ]);
  });

  it('visits sizes, null for what is none (L-09)', async () => {
    const { line, client } = await handSession();
    const rows: unknown[] = [];
    const pending = client.list((number, octets) => rows.push([number, octets]));
    await settled();
    line.say('+OK\r\n1 100\r\n2 -1\r\n3 %!d(float64=5461)\r\n0 5\r\n.\r\n');
    expect(await pending).toEqual({ rows: 3, truncated: false, odd: 1 });
    expect(rows).toEqual([
      [1, 100],
      [2, null],
      [3, null],
    ]);
  });

  it('is empty where the dot follows the status line at once (L-01)', async () => {
    const { line, client } = await handSession();
    const pending = client.uidl(noRow);
    await settled();
    line.say('+OK 0 messages\r\n.\r\n');
    expect(await pending).toEqual({ rows: 0, truncated: false, odd: 0 });
  });

  it('over the cap keeps the first so many, drains the rest and says so (H-01)', async () => {
    const { line, client } = await handSession({ limits: { listingRows: 1000 } });
    let visited = 0;
    const pending = client.uidl(() => visited++);
    await settled();
    line.say('+OK\r\n');
    for (let block = 0; block < 100; block++) {
      line.say(Array.from({ length: 100 }, (_, row) => `${block * 100 + row + 1} id${row}\r\n`).join(''));
    }
    line.say('.\r\n');
    expect(await pending).toEqual({ rows: 10_000, truncated: true, odd: 0 });
    expect(visited).toBe(1000);
    expect(client.closedBy).toBeNull();
  });

  it('without end stops at its limit of bytes, and memory stays flat (D2)', async () => {
    const { line, client } = await handSession({ limits: { listingRows: 10, listingBytes: 48 << 20 } });
    const block = Buffer.from('12345 some-id-of-a-message\r\n'.repeat(2400));
    const pending = failure(client.uidl(noRow));
    await settled();
    line.say('+OK\r\n');
    const before = liveBytes();
    line.read = async () => block;
    expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_TOO_LARGE' });
    expect(liveBytes() - before).toBeLessThan(8 << 20);
    expect(client.bytesIn).toBeGreaterThan(48 << 20);
  });

  it('takes an id of 1 KiB as it is, and a longer one by its hash (L-03)', async () => {
    const { line, client } = await handSession();
    const ids: string[] = [];
    const pending = client.uidl((_number, uidl) => ids.push(uidl));
    await settled();
    const [whole, longer, another] = ['x'.repeat(1024), 'x'.repeat(1025), 'x'.repeat(8000)];
    line.say(`+OK\r\n1 ${whole}\r\n2 ${longer}\r\n3 ${another}\r\n.\r\n`);
    await pending;
    expect(ids).toEqual([whole, hashed(longer), hashed(another)]);
  });

  it('with a row longer than any id may be fails closed', async () => {
    const { line, client } = await handSession();
    const pending = failure(client.uidl(noRow));
    await settled();
    line.say('+OK\r\n1 ', 'x'.repeat(9000), '\r\n.\r\n');
    expect(await pending).toMatchObject({ kind: 'broken', code: 'E_POP3_LINE_TOO_LONG' });
    expect(line.destroyed).toBe(true);
  });

  it('whose visitor throws drops the line', async () => {
    const { line, client } = await handSession();
    const pending = failure(
      client.uidl(() => {
        throw new Error('no room');
      }),
    );
    await settled();
    line.say('+OK\r\n1 a\r\n.\r\n');
    expect((await pending).message).toBe('no room');
    expect(line.destroyed).toBe(true);
  });
});

describe('the single-message forms', () => {
  const ask = async (said: string, call: (client: Pop3Client) => Promise<unknown>) => {
    const { line, client } = await handSession();
    const pending = call(client);
    pending.catch(() => {});
    await settled();
    line.say(said);
    return { pending, line, client };
  };

  it('answer for that message exactly', async () => {
    expect(await (await ask('+OK 7 abc d\r\n', (client) => client.uidlOf(7))).pending).toBe('abc d');
    expect(await (await ask('+OK 7\r\n', (client) => client.uidlOf(7))).pending).toBe('');
    expect(await (await ask('+OK 7 1234\r\n', (client) => client.listOf(7))).pending).toBe(1234);
  });

  it.each([
    '+OK\r\n',
    '+OK abc\r\n',
    '+OK 8 abc\r\n',
    '+OK 77 abc\r\n',
    '+OK 7abc\r\n',
    '+OK 3 messages\r\n1 a\r\n.\r\n',
  ])('are a broken protocol for any other answer: %j (L-10)', async (said) => {
    for (const call of [(client: Pop3Client) => client.uidlOf(7), (client: Pop3Client) => client.listOf(7)]) {
      const { pending, line } = await ask(said, call);
      expect(await failure(pending)).toMatchObject({ kind: 'broken', code: 'E_POP3_WRONG_ANSWER' });
      expect(line.destroyed).toBe(true);
    }
  });

  it('give no size that is none, and an id that is too long to keep by its hash', async () => {
    const size = await ask('+OK 7 %!d\r\n', (client) => client.listOf(7));
    expect(await failure(size.pending)).toMatchObject({ code: 'E_POP3_WRONG_ANSWER' });
    const id = await ask(`+OK 7 ${'x'.repeat(1025)}\r\n`, (client) => client.uidlOf(7));
    expect(await id.pending).toBe(hashed('x'.repeat(1025)));
  });

  it.each(['[SYS/TEMP]', '[IN-USE]', '[SYS/PERM]', '[AUTH]', ''])(
    'and RETR say "refused" for one message whatever the code: %s (R-09, P-07)',
    async (code) => {
      for (const call of [
        (client: Pop3Client) => client.retr(7, noRow),
        (client: Pop3Client) => client.uidlOf(7),
        (client: Pop3Client) => client.dele(7),
      ]) {
        const { pending, client } = await ask(`-ERR ${code} no\r\n`, call);
        expect(await failure(pending)).toMatchObject({ kind: 'refused' });
        expect(client.closedBy).toBeNull();
      }
    },
  );

  it('while the whole mailbox may be told to come later (K-03)', async () => {
    const { pending, client } = await ask('-ERR [LOGIN-DELAY] no\r\n', (asked) => asked.list(noRow));
    expect(await failure(pending)).toMatchObject({ kind: 'later', code: 'E_POP3_LOGIN_DELAY' });
    expect(client.closedBy).toBeNull();
  });
});
