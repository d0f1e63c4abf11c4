import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pop3Client } from '../../lib/pop3/client.ts';
import { Pop3Error } from '../../lib/pop3/errors.ts';
import { type Fault, mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { collector } from './handLine.ts';
import { openTo } from './scriptedClient.ts';

const BODY = '.dot\r\n..\r\n.\r\nA\rB\nC\n.\r\n\0\xff\r\n\r\n';
const MESSAGES = [mail('one', BODY), mail('', ''), mail('three words here', 'end.\r\n')];

async function retr(client: Pop3Client, number: number): Promise<unknown> {
  const body = collector();
  return { ...(await client.retr(number, body.take)), text: body.text() };
}

async function top(client: Pop3Client): Promise<unknown> {
  const body = collector();
  return { ...(await client.top(1, 99, body.take)), text: body.text() };
}

async function rows(
  list: (visit: (number: number, cell: unknown) => void) => Promise<unknown>,
): Promise<unknown> {
  const found: unknown[] = [];
  const end = await list((number, cell) => found.push([number, cell]));
  return { found, end };
}

interface Reply {
  readonly name: string;
  readonly verb: string;
  readonly args?: string;
  /** What is sent instead of the honest answer. */
  readonly reply?: string;
  readonly call: (client: Pop3Client) => Promise<unknown>;
  readonly result: unknown;
  /** What a NOOP behind it comes to; good unless said otherwise. */
  readonly after?: unknown;
}

const END = { rows: 3, truncated: false, odd: 0 };
const GARBAGE = { kind: 'broken', code: 'E_POP3_NOT_POP3', reply: '' };
const CLOSED = { kind: 'lost', code: 'E_POP3_CLOSED', reply: undefined };

/** Each kind of reply that a session can get. GREETING is read by opening. */
const REPLIES: readonly Reply[] = [
  {
    name: 'greeting',
    verb: 'GREETING',
    call: async (client) => client.greeting,
    result: 'scripted server ready',
  },
  {
    name: 'bare +OK greeting',
    verb: 'GREETING',
    reply: '+OK\r\n',
    call: async (client) => client.greeting,
    result: '',
  },
  { name: '+OK with text', verb: 'DELE', call: (client) => client.dele(1), result: undefined },
  { name: 'bare +OK', verb: 'DELE', reply: '+OK\r\n', call: (client) => client.dele(1), result: undefined },
  {
    name: '-ERR',
    verb: 'DELE',
    reply: '-ERR [SYS/TEMP] no\r\n',
    call: (client) => client.dele(1),
    result: { kind: 'refused', code: 'E_POP3_SYS_TEMP', reply: '-ERR [SYS/TEMP] no' },
  },
  {
    name: 'an empty line',
    verb: 'DELE',
    reply: '\r\n',
    call: (client) => client.dele(1),
    result: GARBAGE,
    after: CLOSED,
  },
  {
    name: 'CAPA',
    verb: 'CAPA',
    call: async (client) => (await client.capa()).lines,
    result: ['TOP', 'UIDL', 'USER', 'RESP-CODES', 'PIPELINING'],
  },
  {
    name: 'UIDL',
    verb: 'UIDL',
    args: '',
    call: (client) => rows((visit) => client.uidl(visit)),
    result: {
      found: [
        [1, 'one'],
        [2, ''],
        [3, 'three words here'],
      ],
      end: END,
    },
  },
  {
    name: 'LIST',
    verb: 'LIST',
    args: '',
    call: (client) => rows((visit) => client.list(visit)),
    result: {
      found: [
        [1, BODY.length],
        [2, 0],
        [3, 6],
      ],
      end: END,
    },
  },
  {
    name: 'an empty list',
    verb: 'LIST',
    reply: '+OK\r\n.\r\n',
    call: (client) => rows((visit) => client.list(visit)),
    result: { found: [], end: { rows: 0, truncated: false, odd: 0 } },
  },
  {
    name: 'UIDL 3',
    verb: 'UIDL',
    args: '3',
    call: (client) => client.uidlOf(3),
    result: 'three words here',
  },
  { name: 'LIST 1', verb: 'LIST', args: '1', call: (client) => client.listOf(1), result: BODY.length },
  { name: 'TOP', verb: 'TOP', call: top, result: { octets: BODY.length, unstuffed: false, text: BODY } },
  {
    name: 'RETR',
    verb: 'RETR',
    call: (client) => retr(client, 1),
    result: { octets: BODY.length, unstuffed: false, text: BODY },
  },
  {
    name: 'RETR of nothing',
    verb: 'RETR',
    call: (client) => retr(client, 2),
    result: { octets: 0, unstuffed: false, text: '' },
  },
  {
    name: 'RETR without text',
    verb: 'RETR',
    reply: '+OK\r\na\r\n.\r\n',
    call: (client) => retr(client, 1),
    result: { octets: 3, unstuffed: false, text: 'a\r\n' },
  },
  { name: 'QUIT', verb: 'QUIT', call: (client) => client.quit(), result: undefined, after: CLOSED },
];

/** What came of the call, as something that can be compared. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Pop3Error)) throw error;
    return { kind: error.kind, code: error.code, reply: error.reply };
  }
}

/** One session: signs in, makes the call, and proves with one more command that nothing is left over. */
async function session(server: ScriptedServer, reply: Reply): Promise<unknown> {
  const client = await openTo(server);
  await client.signIn(server.user, server.password);
  const result = await outcome(() => reply.call(client));
  const after = await outcome(() => client.noop());
  client.destroy(new Error('done'));
  return { result, after };
}

function faultsFor(reply: Reply, pieces: readonly (readonly number[] | undefined)[]): Fault[] {
  const { verb, args } = reply;
  return pieces.map((sizes, index) => ({
    verb,
    session: index + 1,
    ...(args === undefined ? {} : { args }),
    ...(reply.reply === undefined ? {} : { reply: reply.reply }),
    ...(sizes === undefined ? {} : { pieces: sizes }),
  }));
}

/** Longer than any answer here. */
const LONGEST = 200;

describe.each([
  { line: 'plain TCP', options: { tls: false } as const, every: 1 },
  { line: 'TLS', options: {}, every: 7 },
])('over $line, an answer means the same however it is cut', ({ options, every }) => {
  it.each(REPLIES)('$name', async (reply) => {
    const cuts = Array.from({ length: Math.ceil(LONGEST / every) }, (_, index) => 1 + index * every);
    // The first session whole, then one byte at a time, then every split into two.
    const pieces = [undefined, [1], ...cuts.map((at) => [at, LONGEST])];
    const server = await startScripted({ ...options, messages: MESSAGES, faults: faultsFor(reply, pieces) });
    const expected = { result: reply.result, after: reply.after };
    try {
      expect(await session(server, reply)).toEqual(expected);
      const length = lengthOf(server, reply.verb);
      expect(length).toBeLessThan(LONGEST);
      for (let nth = 1; nth < pieces.length && (pieces[nth]?.[0] ?? 0) < length; nth++) {
        expect(await session(server, reply), `pieces of ${pieces[nth]}`).toEqual(expected);
      }
    } finally {
      await server.close();
    }
  });
});

/** Bytes of the answer in the first session. */
function lengthOf(server: ScriptedServer, verb: string): number {
  return server.log.sessions[0]?.answers.find((answer) => answer.verb === verb)?.bytesSent ?? LONGEST;
}

describe('the sweep itself', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await startScripted({
      tls: false,
      messages: MESSAGES,
      faults: [{ verb: 'RETR', pieces: [1] }],
    });
  });
  afterAll(() => server.close());

  it('reaches the client in many pieces', async () => {
    const client = await openTo(server);
    await client.signIn(server.user, server.password);
    let pieces = 0;
    await client.retr(1, () => void pieces++);
    expect(pieces).toBeGreaterThan(BODY.length / 2);
    client.destroy(new Error('done'));
  });
});
