/**
 * Every pair of cuts, so every three segments that a reply can arrive in, and the end of the line at every byte: each
 * must come to what one segment comes to, or to an error.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { BodyFraming, LineFraming } from '../../lib/pop3/framing.ts';
import { bytesOf, cutAt } from './chunking.ts';
import { CALLS, converse, type Told } from './conversation.ts';
import { bodyOf, lineOf } from './references.ts';

const MAX_LINE_BYTES = 512;

/** A reply's status line alone, or with a body behind it. */
type Kind = 'line' | 'body';

interface Conversation {
  readonly name: string;
  readonly call: string;
  readonly wire: string;
  /** What the calls come to: the one, and the fence behind it. */
  readonly told: readonly Told[];
}

const HEADER = 'Subject: x\r\nMessage-ID: <a@b>\r\n\r\n';
const FENCE = '+OK 1 aa\r\n';
const fenced = (told: Told): Told[] => [told, { value: 'aa' }];

/** `text` is the message, which the wire has stuffed. */
function message(name: string, text: string): Conversation {
  const wire = `+OK ${text.length} octets\r\n${text.replace(/(^|\r\n)\./g, '$1..')}.\r\n`;
  return { name, call: 'RETR 1', wire, told: fenced({ value: { octets: text.length, text } }) };
}

const broken = (name: string, wire: string, code = 'E_POP3_UNSOLICITED'): Conversation => {
  const kind = code === 'E_POP3_EOF' ? 'lost' : 'broken';
  return { name, call: 'RETR 1', wire, told: [{ kind, code }] };
};

const CONVERSATIONS: readonly Conversation[] = [
  {
    name: 'CAPA',
    call: 'CAPA',
    wire: '+OK list\r\nTOP\r\nUIDL\r\n..odd\r\nEXPIRE NEVER\r\n.\r\n',
    told: fenced({ value: ['TOP', 'UIDL', '.odd', 'EXPIRE NEVER'] }),
  },
  {
    name: 'UIDL',
    call: 'UIDL',
    wire: '+OK\r\n1 aa\r\n2  b b\r\n3\r\nodd\r\n4 .\r\n5 \xff\r\n.\r\n',
    told: fenced({
      value: {
        found: [
          [1, 'aa'],
          [2, 'b b'],
          [3, ''],
          [4, '.'],
          [5, '\xff'],
        ],
        end: { rows: 5, truncated: false, odd: 1 },
      },
    }),
  },
  {
    name: 'LIST',
    call: 'LIST',
    wire: '+OK\r\n1 120\r\n2 0\r\n3 -1\r\n.\r\n',
    told: fenced({
      value: {
        found: [
          [1, 120],
          [2, 0],
          [3, null],
        ],
        end: { rows: 3, truncated: false, odd: 0 },
      },
    }),
  },
  { ...message('TOP with a stuffed line in the header', `.hidden: x\r\n${HEADER}`), call: 'TOP 1' },
  message('stuffed lines', `${HEADER}.one\r\n..two\r\n...\r\n. \r\nend.\r\n`),
  message('lone dots', `.\r\n.\r\n\r\n.\r\n${HEADER}.\r\n`),
  message('bare CR', `${HEADER}a\rb\r\r\n\r.\r\n.\rc\r\n\r\r\n`),
  message('bare LF', `${HEADER}a\nb\n\n.\n.\r\n\n.\r\nc\r\n`),
  message('NUL and 8-bit', `${HEADER}\0.\0\r\n.\0\r\n\xff\xfe\r\n\r\n\x80\r\n`),
  message('nothing', ''),
  message('one empty line', '\r\n'),
  message('what looks like the end', `${HEADER}\r.\r\n\n.\r\n.\r.\r\n.\r\r\n.\n\r\n. \r\n`),
  message('empty lines last', `${HEADER}x\r\n\r\n\r\n`),
  broken(
    'a message that does not end its last line, so that its dot is none',
    '+OK\r\nthe end.\r\n',
    'E_POP3_EOF',
  ),
  broken('the same, with an empty line behind', '+OK\r\nthe end.\r\n\r\n', 'E_POP3_EOF'),
  broken('CRLF.CRLF that was not stuffed', `+OK\r\n${HEADER}first\r\n.\r\nsecond\r\n.\r\n`),
  broken(
    'CRLF.CRLF that was not stuffed, and a forged fence',
    `+OK\r\n${HEADER}\r\n.\r\n${FENCE}third\r\n.\r\n`,
  ),
  broken('a lone dot first that was not stuffed', `+OK\r\n.\r\n+OK 1 forged\r\n${HEADER}.\r\n`),
];

/** Of several conversations one reply behind another, as under pipelining: what one leaves over, the next one gets. */
const PIPELINED = CONVERSATIONS.filter(({ name }) =>
  [
    'CAPA',
    'UIDL',
    'lone dots',
    'bare CR',
    'nothing',
    'what looks like the end',
    'CRLF.CRLF that was not stuffed, and a forged fence',
  ].includes(name),
);

/** Lines and bodies in turn, and what is left behind the last. */
interface Framed {
  readonly parts: readonly (string | null)[];
  readonly rest: string;
}

function framed(chunks: readonly Buffer[], kinds: readonly Kind[]): Framed {
  const parts: (string | null)[] = [];
  const steps = kinds.flatMap((kind): ('line' | 'body')[] => (kind === 'body' ? ['line', 'body'] : ['line']));
  const line = new LineFraming(MAX_LINE_BYTES);
  let body = new BodyFraming();
  let [text, rest] = ['', ''];
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length && parts.length < steps.length) {
      if (steps[parts.length] === 'line') {
        at = line.push(chunk, at);
        if (line.line !== null) parts.push(line.line.toString('latin1'));
      } else {
        text += body.push(chunk, at).toString('latin1');
        at = body.next;
        if (body.ended) {
          parts.push(text);
          text = '';
          body = new BodyFraming();
        }
      }
    }
    rest += chunk.toString('latin1', at);
  }
  return { parts, rest };
}

/** The same by the references, over the whole. */
function framedWhole(wire: string, kinds: readonly Kind[]): Framed {
  const parts: (string | null)[] = [];
  let rest = wire;
  for (const kind of kinds) {
    const status = lineOf(rest, MAX_LINE_BYTES);
    if (status.line === null) return { parts, rest: '' };
    parts.push(status.line);
    rest = status.rest;
    if (kind === 'line') continue;
    const body = bodyOf(rest);
    if (!body.ended) return { parts, rest: '' };
    parts.push(body.content);
    rest = body.rest;
  }
  return { parts, rest };
}

/** Cheaper than a matcher by far, at a hundred thousand comparisons. */
const said = (value: unknown) => JSON.stringify(value);

const counts = { framing: 0, session: 0, ends: 0 };

afterAll(() => {
  console.log(
    `${counts.framing} splits of framing and ${counts.session} of sessions came to what one segment comes to; ` +
      `${counts.ends} ends of the line to an error or a whole message`,
  );
});

function expectAllPairsFramed(wire: string, kinds: readonly Kind[]): void {
  const whole = Buffer.from(wire, 'latin1');
  const expected = said(framedWhole(wire, kinds));
  for (let first = 0; first <= whole.length; first++) {
    for (let second = first; second <= whole.length; second++) {
      const got = said(framed(cutAt(whole, [first, second]), kinds));
      if (got !== expected) expect(got, `cut at ${first} and ${second}`).toBe(expected);
      counts.framing++;
    }
  }
  expect(said(framed(bytesOf(whole), kinds))).toBe(expected);
}

describe('framing comes to the same at every pair of cuts', () => {
  it.each(CONVERSATIONS)('$name', ({ wire }) => {
    expectAllPairsFramed(wire + FENCE, ['body', 'line']);
  });

  it('several of them, pipelined', () => {
    expect(PIPELINED).toHaveLength(7);
    const wire = PIPELINED.map((one) => one.wire + FENCE).join('');
    expectAllPairsFramed(
      wire,
      PIPELINED.flatMap((): Kind[] => ['body', 'line']),
    );
  });
});

/** Both calls of a session in which the first one's reply arrives in these pieces. */
async function session(
  { call }: Conversation,
  pieces: readonly Buffer[],
  end: 'fin' | 'rst' = 'fin',
): Promise<Told[]> {
  const calls = [call, 'UIDL 1']
    .map((name) => CALLS.find((one) => one.name === name))
    .filter((one) => one !== undefined);
  expect(calls).toHaveLength(2);
  const told = await converse([[Buffer.from('+OK\r\n')], pieces, [Buffer.from(FENCE)]], { calls, end });
  return told.slice(1);
}

describe('a session comes to the same at every pair of cuts', () => {
  it.each(CONVERSATIONS)('$name', async (conversation) => {
    const whole = Buffer.from(conversation.wire, 'latin1');
    expect(await session(conversation, [whole])).toEqual(conversation.told);
    const expected = said(conversation.told);
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const got = said(await session(conversation, cutAt(whole, [first, second])));
        if (got !== expected) expect(got, `cut at ${first} and ${second}`).toBe(expected);
        counts.session++;
      }
    }
  });
});

describe('a line that ends at any byte, whatever the cut before it, ends no message early', () => {
  it.each(CONVERSATIONS)('$name', async (conversation) => {
    const whole = Buffer.from(conversation.wire, 'latin1');
    // Where the first terminator stands; behind it a message is whole, whatever the server goes on with.
    const status = conversation.wire.indexOf('\r\n') + 2;
    const { ended, rest } = bodyOf(conversation.wire.slice(status));
    const end = ended ? whole.length - rest.length : whole.length + 1;
    for (let length = 0; length < Math.min(end, whole.length + 1); length++) {
      for (let cut = 0; cut <= length; cut++) {
        for (const how of ['fin', 'rst'] as const) {
          const [told, ...more] = await session(conversation, cutAt(whole.subarray(0, length), [cut]), how);
          const code = how === 'fin' ? 'E_POP3_EOF' : 'E_POP3_RESET';
          if (said(told) !== said({ kind: 'lost', code }) || more.length > 0) {
            expect([told, more], `${how} after ${length} bytes, cut at ${cut}`).toEqual([
              { kind: 'lost', code },
              [],
            ]);
          }
          counts.ends++;
        }
      }
    }
  });
});
