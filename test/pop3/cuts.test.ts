import { describe, expect, it } from 'vitest';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { type Ending, mail, startScripted } from '../servers/scripted.ts';
import { collector, failure } from './handLine.ts';
import { signedInTo } from './scriptedClient.ts';

const CONTENT = 'Subject: cut me\r\n\r\n.a dot\r\nand text\r\n..\r\n.\r\nthe end\r\n';
const ANSWER = `+OK ${CONTENT.length} octets\r\nSubject: cut me\r\n\r\n..a dot\r\nand text\r\n...\r\n..\r\nthe end\r\n.\r\n`;

const LINES = [
  { line: 'plain TCP', options: { tls: false } as const, endings: ['fin', 'rst'] as const },
  { line: 'TLS', options: {}, endings: ['fin', 'fin without close_notify', 'rst'] as const },
];
const CASES = LINES.flatMap(({ line, options, endings }) =>
  endings.map((ending: Ending) => ({ line, options, ending })),
);

describe('RETR on a line that ends too early is an error that says how much came (C-02, R-11, D8)', () => {
  it.each(CASES)('at each byte: $line, $ending', async ({ options, ending }) => {
    const faults = Array.from(ANSWER, (_, cutAt) => ({ verb: 'RETR', session: cutAt + 1, cutAt, ending }));
    const server = await startScripted({ ...options, messages: [mail('one', CONTENT)], faults });
    try {
      for (let cutAt = 0; cutAt < ANSWER.length; cutAt++) {
        const client = await signedInTo(server);
        const before = client.bytesIn;
        const body = collector();
        const error = await failure<Pop3Error>(client.retr(1, body.take));
        expect(error, `cut at ${cutAt}`).toMatchObject({ kind: 'lost', phase: 'retr', command: 'RETR 1' });
        expect(error.message).toMatch(/after \d+ bytes of the (answer|body)/);
        if (ending === 'rst') {
          expect(error).toMatchObject({ code: 'E_POP3_RESET', cause: { code: 'ECONNRESET' } });
          // A reset may overtake bytes; an end does not.
          expect(error.bytesIn - before).toBeLessThanOrEqual(cutAt);
        } else {
          expect(error.code).toBe('E_POP3_EOF');
          expect(error.bytesIn - before).toBe(cutAt);
        }
        expect(CONTENT.startsWith(body.text())).toBe(true);
        expect(client.closedBy).toBe(error);
        expect(await failure(client.noop())).toMatchObject({ code: 'E_POP3_CLOSED', cause: error });
      }
      // The same answer, whole, is what was being cut.
      const client = await signedInTo(server);
      const body = collector();
      expect(await client.retr(1, body.take)).toEqual({ octets: CONTENT.length, unstuffed: false });
      expect(body.text()).toBe(CONTENT);
      expect(server.log.sessions.at(-1)?.answers.at(-1)?.bytesSent).toBe(ANSWER.length);
      client.destroy(new Error('done'));
    } finally {
      await server.close();
    }
  });

  it('also where the terminator came, but the server goes on with the mail that it did not stuff (R-03)', async () => {
    const unstuffed = 'first\r\n.\r\n+OK 0 octets\r\n.\r\nrest\r\n';
    const server = await startScripted({
      messages: [mail('one', unstuffed)],
      faults: [{ verb: 'RETR', stuffing: false }],
    });
    try {
      const client = await signedInTo(server);
      expect(await failure(client.retr(1, () => {}))).toMatchObject({
        kind: 'broken',
        code: 'E_POP3_UNSOLICITED',
      });
      expect(server.log.sessions[0]?.commands.at(-1)).toBe('RETR 1');
    } finally {
      await server.close();
    }
  });
});
