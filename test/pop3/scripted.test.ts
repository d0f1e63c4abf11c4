import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pop3Client } from '../../lib/pop3/client.ts';
import { BodyFraming } from '../../lib/pop3/framing.ts';
import { createAuthority, issue } from '../servers/certificates.ts';
import { mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { encodeAnswer } from '../servers/scriptedSession.ts';
import { collector, failure } from './handLine.ts';
import { openTo, signedInTo, THREE, withServer } from './scriptedClient.ts';

async function listed(server: ScriptedServer): Promise<string[]> {
  const client = await signedInTo(server);
  const rows: string[] = [];
  await client.uidl((number, uidl) => rows.push(`${number} ${uidl}`));
  await client.quit();
  return rows;
}

/** Drops the line and waits until the server has noticed. */
async function drop(server: ScriptedServer, client: Pop3Client): Promise<void> {
  client.destroy(new Error('dropped'));
  const mailboxes = [...server.mailboxes.values()];
  while (mailboxes.some(({ openSessions }) => openSessions > 0))
    await new Promise((resolve) => setImmediate(resolve));
}

describe('the scripted server is honest', () => {
  it('deletes at QUIT only, and numbers each session afresh', () =>
    withServer({}, async (server) => {
      const first = await signedInTo(server);
      await first.dele(1);
      expect(await failure(first.retr(1, () => {}))).toMatchObject({ kind: 'refused' });
      expect(await first.uidlOf(2)).toBe('two');
      await drop(server, first);
      expect(server.removals).toEqual([]);
      const second = await signedInTo(server);
      await second.dele(1);
      await second.quit();
      expect(server.removals).toMatchObject([{ uidl: 'one', by: 'QUIT', session: 2 }]);
      expect(await listed(server)).toEqual(['1 two', '2 three']);
    }));

  it('lets nobody in with a wrong password, and lists nothing before', () =>
    withServer({}, async (server) => {
      const client = await openTo(server);
      expect(await failure(client.uidl(() => {}))).toMatchObject({ kind: 'refused' });
      expect(await failure(client.signIn(server.user, 'wrong'))).toMatchObject({ code: 'E_POP3_AUTH' });
      expect(await failure(client.signIn('nobody', server.password))).toMatchObject({ code: 'E_POP3_AUTH' });
    }));

  it('keeps passwords out of its log', () =>
    withServer({}, async (server) => {
      await (await signedInTo(server)).quit();
      expect(server.log.sessions[0]?.commands).toEqual(['USER ferry', 'PASS ***', 'QUIT']);
      expect(JSON.stringify(server.log)).not.toContain(server.password);
    }));

  it('sends what it holds, stuffed, and TOP without the body', () =>
    withServer({ messages: [mail('dots', 'A: b\r\n\r\n.one\r\n..\r\n.\r\nlast')] }, async (server) => {
      const client = await signedInTo(server);
      const whole = collector();
      await client.retr(1, whole.take);
      expect(whole.text()).toBe('A: b\r\n\r\n.one\r\n..\r\n.\r\nlast\r\n');
      for (const [lines, text] of [
        [0, 'A: b\r\n\r\n'],
        [2, 'A: b\r\n\r\n.one\r\n..\r\n'],
      ] as const) {
        const top = collector();
        await client.top(1, lines, top.take);
        expect(top.text()).toBe(text);
      }
      expect(await client.listOf(1)).toBe(whole.text().length);
      expect(server.log.sessions[0]?.retrieved).toMatchObject([{ number: 1, uidl: 'dots', whole: true }]);
      await client.quit();
    }));

  it('stuffs so that any content comes out as it went in, however it is cut', () => {
    const part = fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', '..', 'a', '\0');
    fc.assert(
      fc.property(fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 12 }), (parts) => {
        const chunks = [...parts.map((some) => some.join('')), '\r\n'].map((text) =>
          Buffer.from(text, 'latin1'),
        );
        const wire = Buffer.concat([...encodeAnswer({ status: '+OK', body: chunks }, {})]).subarray(5);
        const framing = new BodyFraming();
        expect(framing.push(wire, 0).equals(Buffer.concat(chunks))).toBe(true);
        expect(framing.ended && framing.next === wire.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers commands that arrive together, in their order', () =>
    withServer({}, async (server) => {
      const socket = connect(server.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
      });
      socket.write(`USER ${server.user}\r\nPASS ${server.password}\r\nUIDL 2\r\nRETR 1\r\nNOOP\r\nQUIT\r\n`);
      await once(socket, 'close');
      expect(heard.split('\r\n').slice(3)).toEqual([
        '+OK 2 two',
        '+OK 3 octets',
        'a',
        '.',
        '+OK',
        '+OK bye',
        '',
      ]);
    }));

  it('serves several mailboxes', () =>
    withServer({ users: { other: [mail('x', 'x')] } }, async (server) => {
      const other = server.mailboxes.get('other');
      const client = await openTo(server);
      await client.signIn('other', other?.password ?? '');
      expect(await client.uidlOf(1)).toBe('x');
    }));
});

describe('the scripted server misbehaves as told', () => {
  it('by ignoring DELE (D-04)', () =>
    withServer({ behaviour: { deletes: 'ignored' } }, async (server) => {
      const client = await signedInTo(server);
      await client.dele(1);
      await client.quit();
      expect((await listed(server)).length).toBe(3);
    }));

  it('by deleting when the line drops', () =>
    withServer({ behaviour: { deletes: 'at disconnect' } }, async (server) => {
      const client = await signedInTo(server);
      await client.dele(2);
      await drop(server, client);
      expect(server.removals).toMatchObject([{ uidl: 'two', by: 'disconnect' }]);
    }));

  it.each([
    ['at RETR', false, ['1 two', '2 three']],
    ['at QUIT', false, ['1 one', '2 two', '3 three']],
    ['at QUIT', true, ['1 two', '2 three']],
  ] as const)('by hiding what was retrieved %s (QUIT: %s; P-02)', (hides, quits, rest) =>
    withServer({ behaviour: { hides } }, async (server) => {
      const client = await signedInTo(server);
      await client.retr(1, () => {});
      if (quits) await client.quit();
      else await drop(server, client);
      expect(await listed(server)).toEqual(rest);
      expect(server.removals).toEqual([]);
      expect(server.messages.length).toBe(3);
    }),
  );

  it('by locking the mailbox, until the line is gone (K-01)', () =>
    withServer(
      { behaviour: { exclusive: true }, faults: [{ verb: 'NOOP', ending: 'stall' }] },
      async (server) => {
        const client = await signedInTo(server);
        expect(await failure(signedInTo(server))).toMatchObject({ code: 'E_POP3_IN_USE' });
        await client.noop();
        await drop(server, client);
        await (await signedInTo(server)).quit();
      },
    ));

  it('by not announcing, not knowing, or sending too much', () =>
    withServer({ behaviour: { capabilities: null, withoutUidl: true, topIsWhole: true } }, async (server) => {
      const client = await signedInTo(server);
      expect((await client.capa()).announced).toBe(false);
      expect(await failure(client.uidl(() => {}))).toMatchObject({ kind: 'refused' });
      const top = collector();
      await client.top(1, 0, top.take);
      expect(top.text()).toBe('a\r\n');
    }));

  it('to the answers that its table names, as often as it says', () =>
    withServer(
      {
        faults: [
          { verb: 'RETR', uidl: 'two', reply: '-ERR Download exceed\r\n' },
          { verb: 'NOOP', after: 1, times: 2, reply: '-ERR busy\r\n' },
          { verb: 'LIST', args: '2', prefix: '\r\n' },
          { verb: 'DELE', ineffective: true },
        ],
      },
      async (server) => {
        const client = await signedInTo(server);
        await client.retr(1, () => {});
        expect(await failure(client.retr(2, () => {}))).toMatchObject({ kind: 'refused' });
        await client.noop();
        await failure(client.noop());
        await failure(client.noop());
        await client.noop();
        await client.dele(1);
        expect(await client.listOf(1)).toBe(3);
        expect(await failure(client.listOf(2))).toMatchObject({ code: 'E_POP3_NOT_POP3' });
      },
    ));

  it('by announcing another size than it sends (L-09, L-14)', () =>
    withServer({ messages: [mail('a', 'x\r\n', 999), mail('b', 'y\r\n', '%!d')] }, async (server) => {
      const client = await signedInTo(server);
      const sizes: unknown[] = [];
      await client.list((number, octets) => sizes.push([number, octets]));
      expect(sizes).toEqual([
        [1, 999],
        [2, null],
      ]);
      expect(await client.retr(1, () => {})).toEqual({ octets: 3, unstuffed: false });
    }));

  it('by losing the answer to QUIT, with the deletes done or not', async () => {
    for (const ineffective of [true, undefined] as const) {
      const fault = { verb: 'QUIT', cutAt: 0, ...(ineffective ? { ineffective } : {}) };
      await withServer({ faults: [fault] }, async (server) => {
        const client = await signedInTo(server);
        await client.dele(1);
        expect(await failure(client.quit())).toMatchObject({ code: 'E_POP3_QUIT_UNANSWERED' });
        expect(server.removals.length).toBe(ineffective ? 0 : 1);
      });
    }
  });

  it.each([
    ['fin', true],
    ['fin without close_notify', false],
  ] as const)('by ending TLS with %s: close_notify %s (C-02)', async (ending, notified) => {
    const authority = await createAuthority();
    const pair = await issue(authority, { names: ['localhost'] });
    // In TLS 1.2 the type of a record can be read from outside; 21 is an alert, 23 is data.
    const tls = { ...pair, ca: authority.cert, maxVersion: 'TLSv1.2' } as const;
    const server = await startScripted({
      tls,
      messages: THREE,
      faults: [{ verb: 'RETR', cutAt: 9, ending }],
    });
    const tap = await tapOf(server.port);
    const client = await signedInTo({ ...server, port: tap.port });
    await failure(client.retr(1, () => {}));
    expect(tap.records().at(-1)).toBe(notified ? 21 : 23);
    await tap.close();
    await server.close();
  });
});

/** A proxy that remembers what the server sent, as types of TLS records. */
async function tapOf(
  port: number,
): Promise<{ readonly port: number; records(): number[]; close(): Promise<void> }> {
  const pieces: Buffer[] = [];
  const proxy = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    far.on('data', (bytes) => pieces.push(bytes));
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    records() {
      const bytes = Buffer.concat(pieces);
      const types: number[] = [];
      for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
        types.push(bytes[at] ?? -1);
      return types;
    },
    close: () => new Promise((resolve) => proxy.close(() => resolve())),
  };
}
