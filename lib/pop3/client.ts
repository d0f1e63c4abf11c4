import { hash } from 'node:crypto';
import { type Capabilities, capabilities } from './capabilities.ts';
import { type Body, Connection, type Pop3Options, type Take } from './connection.ts';
import { Pop3Error, type Pop3Phase } from './errors.ts';
import type { Exchange } from './explain.ts';
import { LineFraming } from './framing.ts';
import { UIDL_MAX_BYTES } from './limits.ts';
import { Listing, type ListingEnd } from './listing.ts';
import { type Refusal, type Scope, SIGNIN_REFUSED, TLS_WANTED } from './refusals.ts';
import { parseOctets, parseRow, type Row, type Status } from './replies.ts';
import type { Mechanism } from './sasl/mechanism.ts';
import { saslExchange } from './saslExchange.ts';
import type { TlsFacts, Transport } from './transport.ts';

export type { Capabilities } from './capabilities.ts';
export type { Body, Pop3Options, Take } from './connection.ts';
export type { ListingEnd } from './listing.ts';

/** A command that may be sent ahead. */
export interface Ahead {
  readonly verb: keyof typeof PHASES;
  /** Of the one message that it is about; absent: the whole listing. */
  readonly number?: number;
}

export interface AuthenticateOptions {
  readonly secret: string;
  readonly initial?: boolean;
  readonly refused?: (meant: Refusal) => Refusal;
}

const PHASES = { UIDL: 'uidl', LIST: 'list', TOP: 'top', RETR: 'retr', DELE: 'dele' } as const;

/** QUIRK: AOL and free.fr hang up on a wrong password; others do so when signed in to too often. */
const SIGNIN_DROPPED: Refusal = {
  kind: 'later',
  code: 'E_POP3_SIGNIN_DROPPED',
  next: 'Either the sign-in was rejected or the server wants fewer of them: it is tried again later; if it goes on, check the password.',
};

/** QUIRK: Stalwart closed right after QUIT. What was deleted is known from the next listing only. */
const QUIT_UNANSWERED: Refusal = {
  kind: 'lost',
  code: 'E_POP3_QUIT_UNANSWERED',
  next: 'Whether the deletes were done is unknown; the next listing tells.',
};

/**
 * A POP3 session (RFC 1939, 2449) over a line that is open already. One call at a time. Methods reject with a
 * Pop3Error; -ERR leaves the connection good, 'broken' and 'lost' end it without QUIT, and `closedBy` tells.
 * Calls on a closed session reject with E_POP3_CLOSED, whose cause is the first reason.
 */
export class Pop3Client {
  readonly #connection: Connection;
  readonly #greeting: string;
  /** Of the line as it is by now; undefined in the clear. */
  readonly tls: TlsFacts | undefined;
  /** The last CAPA had STLS, which no server has under TLS (RFC 2595 section 4). */
  #offersTls = false;

  private constructor(connection: Connection, greeting: string, { tls }: Transport) {
    this.#connection = connection;
    this.#greeting = greeting;
    this.tls = tls;
  }

  /**
   * Reads the greeting and, where the transport has `startTls`, goes on under TLS: without asking CAPA first, which
   * anybody in between could have edited. Any failure, a refusing greeting or STLS included, leaves it destroyed.
   */
  static async open(transport: Transport, options: Pop3Options): Promise<Pop3Client> {
    const connection = new Connection(transport, options);
    const exchange: Exchange = {
      phase: 'greeting',
      verb: null,
      args: [],
      scope: 'greeting',
      statusMs: connection.limits.greetingMs,
    };
    try {
      const greeting = await connection.exchange(exchange, (status) => connection.show(status.text));
      const handshake = transport.startTls;
      if (handshake === undefined) return new Pop3Client(connection, greeting, transport);
      const statusMs = connection.limits.commandMs;
      const stls: Exchange = { phase: 'stls', verb: 'STLS', args: [], scope: 'stls', statusMs };
      const secured = await connection.startTls(stls, () => handshake.call(transport));
      return new Pop3Client(new Connection(secured, options), greeting, secured);
    } catch (error) {
      connection.close(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** What the server said behind +OK, escaped and capped. It decides nothing. */
  get greeting(): string {
    return this.#greeting;
  }

  get bytesIn(): number {
    return this.#connection.bytesIn;
  }

  get bytesOut(): number {
    return this.#connection.bytesOut;
  }

  /** Why the connection was closed, the first reason; null while it is open. */
  get closedBy(): Error | null {
    return this.#connection.closedBy;
  }

  /** RFC 2449. -ERR is an answer too: the server announces nothing. Ask again after signing in: it may differ. */
  async capa(): Promise<Capabilities> {
    const lines: string[] = [];
    const { limits } = this.#connection;
    const framing = new LineFraming(limits.capabilityBytes);
    const take = (chunk: Uint8Array) => {
      const piece = asBuffer(chunk);
      for (let at = 0; at < piece.length; ) {
        at = framing.push(piece, at);
        if (framing.line === null) continue;
        const line = this.#connection.show(framing.line);
        this.#connection.heard(line);
        lines.push(line);
      }
    };
    try {
      await this.#multiline(this.#about('capa', 'CAPA', 'mailbox'), take, limits.capabilityBytes);
      const announced = capabilities(lines);
      this.#offersTls = announced.has('STLS');
      return announced;
    } catch (error) {
      if (this.closedBy === null && error instanceof Pop3Error) return capabilities(null);
      throw error;
    }
  }

  /**
   * USER and PASS, UTF-8 and untrimmed; nothing is sent behind PASS before its answer (QUIRK: Courier and
   * solid-pop3d lose it). A refusal without response code means what its words say (wordings.ts), and else is
   * 'person', E_POP3_SIGNIN_REFUSED: some servers say the same when they throttle, so it is certain only when it lasts.
   */
  async signIn(user: string, password: string): Promise<void> {
    this.#connection.hide(password);
    const statusMs = this.#connection.limits.signInMs;
    const common = { phase: 'sign-in', scope: 'sign-in', statusMs } as const;
    // "Invalid command" is said to a wrong user name as well.
    const plainly = (meant: Refusal) => (meant.code === 'E_POP3_MECHANISM' ? SIGNIN_REFUSED : meant);
    const refused = (meant: Refusal) =>
      this.#offersTls && plainly(meant) === SIGNIN_REFUSED ? TLS_WANTED : plainly(meant);
    await this.#status({ ...common, verb: 'USER', args: [user], refused });
    const secret = { args: [password], dropped: SIGNIN_DROPPED, refused: plainly };
    await this.#status({ ...common, verb: 'PASS', ...secret });
  }

  /**
   * AUTH (RFC 5034), by one mechanism. `secret`: what no text of the server may repeat. `initial`: what it says first
   * rides on the command; QUIRK: Exchange wants XOAUTH2 in two steps, others in one. `refused`: what a -ERR means, where the
   * mechanism knows more. A server that does not prove itself where the mechanism wants that is 'person',
   * E_POP3_UNPROVED, and the connection is closed.
   */
  async authenticate(
    mechanism: Mechanism,
    { secret, initial = false, refused }: AuthenticateOptions,
  ): Promise<void> {
    this.#connection.hide(secret);
    const { args, answer, doubt: doubtOf } = saslExchange(mechanism, initial);
    const exchange: Exchange = {
      ...{ phase: 'sign-in', scope: 'sign-in', statusMs: this.#connection.limits.signInMs },
      ...{ verb: 'AUTH', args, answer, complaint: mechanism.complaint, dropped: SIGNIN_DROPPED },
      ...(refused && { refused }),
    };
    await this.#connection.exchange(exchange, ({ text }) => {
      const doubt = doubtOf(text.toString('latin1'));
      if (doubt !== null) throw this.#connection.unproved(doubt);
    });
  }

  /**
   * Writes commands at once, where CAPA announces PIPELINING (RFC 2449 section 6.6). The calls that follow must be
   * theirs, in this order (TOP with no line of the body); each reads its answer. No more than a hundred: a server
   * need not read on before its answers are read.
   */
  ahead(commands: readonly Ahead[]): Promise<void> {
    return this.#connection.ahead(
      commands.map(({ verb, number }) => {
        const lines = verb === 'TOP' ? ['0'] : [];
        const args = number === undefined ? [] : [messageNumber(number), ...lines];
        return this.#about(PHASES[verb], verb, number === undefined ? 'mailbox' : 'message', args);
      }),
    );
  }

  /**
   * The whole listing; ids are raw bytes as latin1, '' where the server gave none, "sha256:" and hex where one is
   * longer than 1 KiB. A throwing visitor closes.
   */
  uidl(visit: (number: number, uidl: string) => void): Promise<ListingEnd> {
    return this.#listing('uidl', 'UIDL', ({ number, rest }) => visit(number, idOf(rest)));
  }

  /** The whole listing; octets as announced, null where they are no number. They need not be true. */
  list(visit: (number: number, octets: number | null) => void): Promise<ListingEnd> {
    return this.#listing('list', 'LIST', ({ number, rest }) => visit(number, parseOctets(rest)));
  }

  /**
   * How many messages there are (RFC 1939 section 5). An answer without that number is 'broken', E_POP3_WRONG_ANSWER.
   * QUIRK: some count what is marked for removal, and none need be right.
   */
  stat(): Promise<number> {
    return this.#connection.exchange(this.#about('list', 'STAT', 'mailbox'), ({ text }: Status) => {
      const [count] = /^\d{1,10}(?=\s|$)/.exec(text.toString('latin1').trim()) ?? [];
      if (count !== undefined) return Number(count);
      throw this.#connection.broken('E_POP3_WRONG_ANSWER', 'the answer has no number of messages');
    });
  }

  /** UIDL of one message. An answer that is not exactly about `number` is 'broken', E_POP3_WRONG_ANSWER. */
  uidlOf(number: number): Promise<string> {
    return this.#single('uidl', 'UIDL', number, idOf);
  }

  /** Octets of one message, under the same rule. */
  listOf(number: number): Promise<number> {
    return this.#single('list', 'LIST', number, parseOctets);
  }

  /** Headers, the empty line and `lines` of the body. QUIRK: Stalwart sends the whole message for TOP n 0. */
  async top(number: number, lines: number, take: Take): Promise<Body> {
    if (!Number.isSafeInteger(lines) || lines < 0)
      throw new RangeError(`TOP: ${lines} is no number of lines.`);
    const exchange = this.#about('top', 'TOP', 'message', [messageNumber(number), String(lines)]);
    return this.#multiline(exchange, take, this.#connection.limits.bodyBytes);
  }

  /**
   * A message, byte for byte. Whatever fails after the first byte closes the connection, an error of `take`
   * (passed on as it is) included: the rest of the body is still owed. More than `maxOctets` is
   * E_POP3_TOO_LARGE.
   */
  async retr(number: number, take: Take, options: { readonly maxOctets?: number } = {}): Promise<Body> {
    const exchange = this.#about('retr', 'RETR', 'message', [messageNumber(number)]);
    const maxBytes = Math.min(
      options.maxOctets ?? Number.POSITIVE_INFINITY,
      this.#connection.limits.bodyBytes,
    );
    return this.#multiline(exchange, take, maxBytes);
  }

  /** Marks for removal; the server removes at QUIT (some already when the line drops). */
  async dele(number: number): Promise<void> {
    await this.#status(this.#about('dele', 'DELE', 'message', [messageNumber(number)]));
  }

  async noop(): Promise<void> {
    await this.#status(this.#about('noop', 'NOOP', 'mailbox'));
  }

  /** Ends the session and commits its deletes. However it ends, the connection is closed afterwards. */
  async quit(): Promise<void> {
    const statusMs = this.#connection.limits.quitMs;
    const exchange = { ...this.#about('quit', 'QUIT', 'mailbox'), statusMs, dropped: QUIT_UNANSWERED };
    try {
      await this.#status(exchange);
      this.destroy(new Error('The session was ended by QUIT.'));
    } catch (error) {
      if (error instanceof Pop3Error) this.destroy(error);
      throw error;
    }
  }

  /** Drops the connection; a pending call rejects with `reason`. Without effect on one that is closed. */
  destroy(reason: Error): void {
    this.#connection.close(reason);
  }

  #about(phase: Pop3Phase, verb: string, scope: Scope, args: readonly string[] = []): Exchange {
    return { phase, verb, args, scope, statusMs: this.#connection.limits.commandMs };
  }

  async #status(exchange: Exchange): Promise<void> {
    await this.#connection.exchange(exchange, () => {});
  }

  async #multiline(exchange: Exchange, take: Take, maxBytes: number): Promise<Body> {
    const silenceMs = this.#connection.limits.idleMs;
    return this.#connection.exchange(exchange, () => this.#connection.body(take, { maxBytes, silenceMs }));
  }

  async #listing(phase: 'uidl' | 'list', verb: string, visit: (row: Row) => void): Promise<ListingEnd> {
    const { listingLineBytes, listingRows, listingBytes, listingMs } = this.#connection.limits;
    const listing = new Listing({ lineBytes: listingLineBytes, rows: listingRows }, visit);
    const take = (chunk: Uint8Array) => {
      if (listing.push(asBuffer(chunk))) return;
      throw this.#connection.broken('E_POP3_LINE_TOO_LONG', `a row is longer than ${listingLineBytes} bytes`);
    };
    const exchange = { ...this.#about(phase, verb, 'mailbox'), statusMs: listingMs };
    const bounds = { maxBytes: listingBytes, silenceMs: listingMs };
    await this.#connection.exchange(exchange, () => this.#connection.body(take, bounds));
    return listing.end;
  }

  async #single<T>(
    phase: 'uidl' | 'list',
    verb: string,
    number: number,
    read: (rest: Buffer) => T | null,
  ): Promise<T> {
    const exchange = this.#about(phase, verb, 'message', [messageNumber(number)]);
    return this.#connection.exchange(exchange, ({ text }: Status) => {
      const row = parseRow(text);
      const value = row?.number === number ? read(row.rest) : null;
      // QUIRK: others leave the number out, answer for another message, or send the whole listing.
      if (value === null) {
        throw this.#connection.broken(
          'E_POP3_WRONG_ANSWER',
          `the answer is not the one about message ${number}`,
        );
      }
      return value;
    });
  }
}

/** Cut short, two ids could become one; refused, one message would keep all others of its mailbox from coming. */
function idOf(rest: Buffer): string {
  if (rest.length <= UIDL_MAX_BYTES) return rest.toString('latin1');
  return `sha256:${hash('sha256', rest, 'hex')}`;
}

/** Checked before anything is written; a number is all that a message's command has of its caller. */
function messageNumber(number: number): string {
  if (Number.isSafeInteger(number) && number > 0) return String(number);
  throw new RangeError(`${number} is no message number: it must be a positive whole number.`);
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
