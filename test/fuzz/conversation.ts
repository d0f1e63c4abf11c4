import { Pop3Client } from '../../lib/pop3/client.ts';
import { Pop3Error } from '../../lib/pop3/errors.ts';
import type { Transport } from '../../lib/pop3/transport.ts';
import { FakeTimer } from '../pop3/fakeTimer.ts';
import { collector } from '../pop3/handLine.ts';

/** What a server says, one reply for each command; each reply in the pieces that arrive one by one. */
export type Replies = readonly (readonly Buffer[])[];

/** How the line ends behind the last reply. */
export type End = 'fin' | 'rst';

/** What came of one call: its value, or its error without what depends on the cut that a message was read in. */
export type Told = { readonly value: unknown } | { readonly kind: string; readonly code: string };

export interface Call {
  readonly name: string;
  readonly make: (client: Pop3Client) => Promise<unknown>;
  /** Nothing is asked for after it failed. */
  readonly needed?: true;
}

const rows = async (list: (visit: (number: number, cell: unknown) => void) => Promise<unknown>) => {
  const found: unknown[] = [];
  const end = await list((number, cell) => found.push([number, cell]));
  return { found, end };
};

const body = async (read: (take: (chunk: Uint8Array) => void) => Promise<{ octets: number }>) => {
  const { take, text } = collector();
  const { octets } = await read(take);
  return { octets, text: text() };
};

/** A whole session, each kind of reply in it, and a fence behind each message. The greeting is read before. */
export const CALLS: readonly Call[] = [
  { name: 'USER', make: (client) => client.signIn('ada', 'correct horse'), needed: true },
  { name: 'CAPA', make: async (client) => (await client.capa()).lines },
  { name: 'UIDL', make: (client) => rows((visit) => client.uidl(visit)) },
  { name: 'LIST', make: (client) => rows((visit) => client.list(visit)) },
  { name: 'TOP 1', make: (client) => body((take) => client.top(1, 0, take)) },
  { name: 'RETR 1', make: (client) => body((take) => client.retr(1, take)) },
  { name: 'UIDL 1', make: (client) => client.uidlOf(1) },
  { name: 'RETR 2', make: (client) => body((take) => client.retr(2, take)) },
  { name: 'LIST 2', make: (client) => client.listOf(2) },
  { name: 'DELE 1', make: (client) => client.dele(1) },
  { name: 'QUIT', make: (client) => client.quit() },
];

/** Replies that `CALLS` wait for: the greeting, and two for signing in. */
export const REPLY_COUNT = CALLS.length + 2;

const LIMITS = { statusLineBytes: 128, listingLineBytes: 1100, listingRows: 5 };

/** A line on which each command brings the next reply, and which ends where more is read than was said. */
function lineOf(replies: Replies, end: End): Transport {
  const left = [...replies];
  let arrived: Buffer[] = [];
  const next = () => {
    arrived = [...arrived, ...(left.shift() ?? []).filter((piece) => piece.length > 0)];
  };
  next();
  return {
    read: async () => {
      const piece = arrived.shift();
      if (piece === undefined && end === 'rst') throw new Error('read ECONNRESET');
      return piece ?? null;
    },
    get unread() {
      return arrived.reduce((total, piece) => total + piece.length, 0);
    },
    write: async () => next(),
    destroy: () => {},
  };
}

/** What comes of `calls`, up to the one that ends the session. */
export async function converse(
  replies: Replies,
  { calls = CALLS, end = 'fin' as End }: { calls?: readonly Call[]; end?: End } = {},
): Promise<readonly Told[]> {
  const timer = new FakeTimer();
  const deadlineMs = timer.now() + 3_600_000;
  let client: Pop3Client | undefined;
  const open: Call['make'] = async () => {
    client = await Pop3Client.open(lineOf(replies, end), { timer, deadlineMs, limits: LIMITS });
    return client.greeting;
  };
  const told: Told[] = [];
  for (const { make, needed } of [{ name: '', make: open, needed: true as const }, ...calls]) {
    const one = await toldOf(make(client as Pop3Client));
    told.push(one);
    if (client === undefined || client.closedBy !== null || (needed && 'code' in one)) break;
  }
  client?.destroy(new Error('done'));
  return told;
}

async function toldOf(call: Promise<unknown>): Promise<Told> {
  try {
    return { value: await call };
  } catch (error) {
    if (!(error instanceof Pop3Error)) throw error;
    return { kind: error.kind, code: error.code };
  }
}
