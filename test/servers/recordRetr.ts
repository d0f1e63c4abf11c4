/**
 * An independent POP3 reader: what a session's RETR really gives, to hold the stored objects against. It shares
 * nothing with the client under test and is naive on purpose: one command at a time, the whole reply in memory,
 * no limits. It deletes nothing.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';

export interface Mailbox {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly name: string;
  readonly password: string;
}

const END = Buffer.from('\r\n.\r\n');
const CRLF = Buffer.from('\r\n');

/** UIDL → the message's bytes, in the listing's order. */
export async function recordRetr(mailbox: Mailbox): Promise<Map<string, Buffer>> {
  const { host, port, ca, name, password } = mailbox;
  const socket = connect({ host, port, ca, servername: host });
  await once(socket, 'secureConnect');
  const chunks: Chunks = socket.iterator();
  const command = (line: string, multiline: boolean) => {
    socket.write(`${line}\r\n`);
    return reply(chunks, multiline);
  };
  try {
    await reply(chunks, false);
    await command(`USER ${name}`, false);
    await command(`PASS ${password}`, false);
    const messages = new Map<string, Buffer>();
    for (const row of lines(await command('UIDL', true))) {
      const [number, uidl] = row.split(' ');
      messages.set(uidl!, unstuffed(await command(`RETR ${number}`, true)));
    }
    await command('QUIT', false);
    return messages;
  } finally {
    socket.destroy();
  }
}

type Chunks = AsyncIterator<Buffer>;

/** All after the status line, up to and without the final dot line; rejects at -ERR and when the line ends. */
async function reply(source: Chunks, multiline: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let tail = Buffer.alloc(0);
  const whole = () =>
    multiline && !startsWith(chunks[0], '-ERR') ? tail.equals(END) : tail.subarray(-2).equals(CRLF);
  do {
    const { done, value } = await source.next();
    if (done) throw new Error('the server ended the line within a reply');
    chunks.push(value);
    tail = Buffer.concat([tail, value.subarray(-END.length)]).subarray(-END.length);
  } while (!whole());
  const all = Buffer.concat(chunks);
  if (!startsWith(all, '+OK')) throw new Error(`the server said ${all.toString('latin1').trim()}`);
  // The status line's own CRLF may be the first half of an empty reply's end.
  const begin = all.indexOf(CRLF) + CRLF.length;
  return multiline ? all.subarray(begin, all.length - END.length + CRLF.length) : Buffer.alloc(0);
}

function startsWith(bytes: Buffer | undefined, text: string): boolean {
  return bytes?.subarray(0, text.length).toString('latin1') === text;
}

/** RFC 1939, section 3: a line that begins with a dot had one put before it. */
function unstuffed(bytes: Buffer): Buffer {
  const kept: Buffer[] = [];
  for (let begin = 0; begin < bytes.length; ) {
    const end = bytes.indexOf(CRLF, begin);
    const next = end === -1 ? bytes.length : end + CRLF.length;
    kept.push(bytes.subarray(bytes[begin] === 46 ? begin + 1 : begin, next));
    begin = next;
  }
  return Buffer.concat(kept);
}

function lines(bytes: Buffer): readonly string[] {
  return bytes.toString('latin1').split('\r\n').filter(Boolean);
}
