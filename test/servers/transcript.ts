/**
 * Reads what a proxy recorded of POP3 sessions without TLS: an oracle that shares nothing with the client under test.
 * It works on the whole session at once, as text of Latin-1, by searching and replacing.
 */
import type { Recording } from './tcpProxy.ts';

export interface Row {
  readonly number: string;
  readonly uidl: string;
  /** What LIST says; undefined where it was not asked. */
  readonly octets: number | undefined;
}

export interface Transcript {
  /** Verbs and arguments as they were sent, but for those of PASS and AUTH. */
  readonly commands: readonly string[];
  readonly listed: readonly Row[];
  /** Each message that RETR gave whole, with its row. */
  readonly retrieved: readonly { readonly row: Row; readonly bytes: Buffer }[];
}

const END = '\r\n.\r\n';

export function transcriptOf({ toServer, toClient }: Recording): Transcript {
  const commands = Buffer.concat(toServer).toString('latin1').split('\r\n').slice(0, -1);
  const replies = Buffer.concat(toClient).toString('latin1');
  const bodies = new Map<string, string>();
  // The greeting stands first, for no command.
  let at = replies.indexOf('\r\n') + 2;
  for (const command of commands) {
    const status = replies.indexOf('\r\n', at);
    if (status === -1) break;
    const many = hasBody(command) && replies.startsWith('+OK', at);
    // The status line's own CRLF may be the first half of an empty reply's end.
    const end = many ? replies.indexOf(END, status) : status;
    if (end === -1) break;
    if (many) bodies.set(command, replies.slice(status + 2, end + 2));
    at = end + (many ? END.length : 2);
  }
  const listed = rowsOf(bodies.get('UIDL') ?? '', bodies.get('LIST') ?? '');
  const retrieved = listed.flatMap((row) => {
    const body = bodies.get(`RETR ${row.number}`);
    return body === undefined ? [] : [{ row, bytes: unstuffed(body) }];
  });
  return { commands: commands.map((line) => line.replace(/^(PASS|AUTH \S+) .*/, '$1')), listed, retrieved };
}

function hasBody(command: string): boolean {
  return /^(CAPA|UIDL|LIST)$|^(RETR|TOP) /.test(command);
}

function rowsOf(uidl: string, list: string): Row[] {
  const sizes = new Map(pairsOf(list));
  return pairsOf(uidl).map(([number, id]) => {
    const octets = sizes.get(number);
    return { number, uidl: id, octets: octets === undefined ? undefined : Number.parseInt(octets, 10) };
  });
}

function pairsOf(rows: string): [string, string][] {
  return rows
    .split('\r\n')
    .filter(Boolean)
    .map((row) => {
      const [number = '', value = ''] = row.split(' ');
      return [number, value];
    });
}

/** RFC 1939, section 3: a line that begins with a dot had one put before it. */
function unstuffed(body: string): Buffer {
  return Buffer.from(`\r\n${body}`.replaceAll('\r\n.', '\r\n').slice(2), 'latin1');
}
