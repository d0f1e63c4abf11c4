import { encodeCommand } from './commands.ts';
import type { Pop3Error } from './errors.ts';
import { escapeBytes } from './escape.ts';
import {
  type Exchange,
  LEFT_OUT,
  mishap,
  RECONNECT,
  type Situation,
  sessionError,
  soFar,
  type Told,
  visible,
} from './explain.ts';
import { BodyFraming, LineFraming } from './framing.ts';
import { POP3_LIMITS, type Pop3Limits } from './limits.ts';
import { andWithout, type Show, showWithout } from './masking.ts';
import type { Observe } from './observe.ts';
import { otherProtocol } from './otherProtocols.ts';
import { Pace } from './pace.ts';
import { refusal } from './refusals.ts';
import { parseChallenge, parseStatus, type Status } from './replies.ts';
import type { Timer, Transport } from './transport.ts';
import { Wire } from './wire.ts';

export interface Pop3Options {
  readonly timer: Timer;
  /** Milliseconds since the epoch; nothing waits beyond it. Within 24 days, the longest that Node's timers wait. */
  readonly deadlineMs: number;
  /** Aborting drops the connection at once; the pending call rejects with 'lost', E_POP3_ABORTED. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Pop3Limits>;
  /** Sees the conversation; what is written while signing in is not in it. */
  readonly observe?: Observe | undefined;
}

/**
 * Takes the next bytes of a body. They are valid only until it returns or its promise settles; nothing is
 * read from the server before that, which is how back-pressure reaches it.
 */
export type Take = (chunk: Uint8Array) => void | Promise<void>;

export interface BodyBounds {
  /** Octets, unstuffed; more is an error, and not one octet more is handed over. */
  readonly maxBytes: number;
  /** The longest silence. */
  readonly silenceMs: number;
}

/** What came of a body. */
export interface Body {
  /** Unstuffed, up to and including the CRLF before the final dot. */
  readonly octets: number;
  /** The server did not stuff dots (RFC 1939 section 3): a line of it lost one. */
  readonly unstuffed: boolean;
}

/** More than any mechanism has. */
const MOST_CHALLENGES = 10;

const NOTHING = Buffer.alloc(0);
const BEFORE_ANY: Exchange = { phase: 'greeting', verb: null, args: [], scope: 'greeting', statusMs: 0 };

/**
 * The conversation: commands, their answers in order, and the first reason the line was closed. Knows no verb. Rules:
 * nothing may be unread that no command is owed; any timeout, framing or protocol error closes the line, and every
 * later call then rejects with that reason as its cause.
 */
export class Connection {
  readonly limits: Pop3Limits;
  readonly #timer: Timer;
  readonly #wire: Wire;
  readonly #observe: Observe | undefined;
  readonly #status: LineFraming;
  #input: Buffer = NOTHING;
  #at = 0;
  #busy = false;
  /** Commands that are written already, and whose exchange has not begun. */
  readonly #ahead: Buffer[] = [];
  #exchange: Exchange = BEFORE_ANY;
  #reply: string | undefined;
  /** Octets of the body being read; null while its status line is. */
  #octets: number | null = null;
  #show: Show = escapeBytes;

  constructor(transport: Transport, options: Pop3Options) {
    this.limits = { ...POP3_LIMITS, ...options.limits };
    this.#timer = options.timer;
    this.#observe = options.observe;
    this.#status = new LineFraming(this.limits.statusLineBytes);
    this.#wire = new Wire(transport, {
      timer: options.timer,
      deadlineMs: options.deadlineMs,
      signal: options.signal,
      explain: (what, cause) => this.#error(mishap(this.#situation(), what, cause)),
    });
  }

  get bytesIn(): number {
    return this.#wire.bytesIn;
  }

  get bytesOut(): number {
    return this.#wire.bytesOut;
  }

  get closedBy(): Error | null {
    return this.#wire.closedBy;
  }

  /** From now on no text of the server is shown that repeats `secret`. */
  hide(secret: string): void {
    this.#show = showWithout(secret);
  }

  /** Server text, escaped and capped, or withheld. */
  show(bytes: Uint8Array): string {
    return this.#show(bytes);
  }

  /** Tells whoever observes of a line that is the caller's to read, as `show` gave it. */
  heard(line: string): void {
    this.#observe?.({ what: 'heard', line });
  }

  close(reason: Error): void {
    this.#wire.close(reason);
  }

  /** Closes the line because of what the server did; the error to throw. `unsent`: the command was not sent yet. */
  broken(code: string, words: string, unsent = false): Pop3Error {
    return this.#wire.close(this.#error({ kind: 'broken', code, words, next: RECONNECT, unsent }));
  }

  /** Closes the line, since the server did not do its part of a sign-in; the error to throw. */
  unproved(words: string): Pop3Error {
    const next =
      'Nothing more was sent. The server does not follow the mechanism, or does not know the secret: check the host and the mechanism.';
    return this.#wire.close(this.#error({ kind: 'person', code: 'E_POP3_UNPROVED', words, next }));
  }

  /**
   * Sends one command and reads its status line; `answer` then reads the body, if one is owed. -ERR rejects,
   * by its scope and response code, and leaves the connection good.
   */
  async exchange<T>(exchange: Exchange, answer: (status: Status) => T | Promise<T>): Promise<T> {
    if (this.#busy)
      throw new Error(`${exchange.verb} was asked for before ${this.#exchange.verb} was answered.`);
    this.#begin(exchange);
    if (exchange.complaint) throw this.#error(badArgument(exchange.complaint));
    const { closedBy } = this.#wire;
    if (closedBy !== null) throw this.#error(closedAlready(closedBy));
    this.#busy = true;
    try {
      const untilMs = this.#timer.now() + exchange.statusMs;
      if (exchange.verb !== null) await this.#send(exchange.verb, exchange.args, untilMs);
      const status = await this.#converse(exchange, untilMs);
      if (!status.ok) {
        const meant = refusal(exchange.scope, status);
        const told = exchange.refused?.(meant) ?? meant;
        throw this.#error({ words: 'the server refused', ...told });
      }
      return await answer(status);
    } finally {
      this.#busy = false;
    }
  }

  /**
   * STLS and the handshake (RFC 2595 section 4). A byte behind the server's +OK was sent in the clear, by anybody: read
   * later, it would pass for an answer under TLS. Nothing of this connection is of use afterwards.
   */
  async startTls(exchange: Exchange, handshake: () => Promise<Transport>): Promise<Transport> {
    return this.exchange(exchange, async () => {
      if (this.#unread() > 0) {
        const words = 'the server sent bytes between its answer to STLS and the handshake';
        throw await this.#unasked('E_POP3_STLS_INJECTED', words, false);
      }
      return this.#wire.upgrade(handshake);
    });
  }

  /**
   * Writes commands at once (RFC 2449 section 6.6); the exchanges that follow must be theirs, in this order. For
   * commands few and short enough that the server need not read them before its answers are read.
   */
  async ahead(exchanges: readonly Exchange[]): Promise<void> {
    const [first] = exchanges;
    if (first === undefined) return;
    if (this.#busy)
      throw new Error(`${first.verb} was sent ahead before ${this.#exchange.verb} was answered.`);
    this.#begin(first);
    const { closedBy } = this.#wire;
    if (closedBy !== null) throw this.#error(closedAlready(closedBy));
    const commands = exchanges.map(({ verb, args }) => this.#encoded(verb ?? '', args));
    if (!this.#isOwed && this.#unread() > 0) throw await this.#unsolicited();
    this.#ahead.push(...commands);
    if (this.#observe) for (const each of exchanges) this.#observe({ what: 'said', line: visible(each) });
    await this.#wire.write(Buffer.concat(commands), this.#timer.now() + first.statusMs);
  }

  /** The body of the running exchange, up to its terminator. */
  async body(take: Take, bounds: BodyBounds): Promise<Body> {
    const framing = new BodyFraming();
    const pace = new Pace(this.limits.bytesPerSecond, Math.max(this.limits.rateWindowMs, bounds.silenceMs));
    let octets = 0;
    for (;;) {
      this.#octets = octets;
      const content = framing.push(this.#input, this.#at);
      this.#at = framing.next;
      octets += content.length;
      if (octets > bounds.maxBytes) throw this.#tooLarge(bounds.maxBytes);
      if (content.length > 0) await this.#give(take, content);
      if (framing.ended) break;
      if (pace.tooSlow) throw this.#tooSlow();
      await this.#fill(this.#timer.now() + bounds.silenceMs, pace);
    }
    // A server that does not stuff dots goes on with the rest of the mail: the earlier that is seen, the less
    // is believed. What comes later is seen before the next command.
    if (!this.#isOwed && this.#unread() > 0) throw await this.#unsolicited();
    this.#observe?.({ what: 'body', octets });
    return { octets, unstuffed: framing.unstuffed };
  }

  #begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#reply = undefined;
    this.#octets = null;
  }

  #unread(): number {
    return this.#input.length - this.#at + this.#wire.unread;
  }

  /** Whether a command that is written waits for its exchange to begin: what comes may be its answer. */
  get #isOwed(): boolean {
    return this.#ahead.length > 0;
  }

  async #send(verb: string, args: readonly string[], untilMs: number): Promise<void> {
    const command = this.#encoded(verb, args);
    const sent = this.#ahead.shift();
    if (sent === undefined) {
      if (this.#unread() > 0) throw await this.#unsolicited();
      this.#observe?.({ what: 'said', line: visible(this.#exchange) });
      await this.#wire.write(command, untilMs);
    } else if (!sent.equals(command)) {
      // Its answer would be taken for another's.
      throw this.#wire.close(
        new Error(`${verb} was asked for where the answer of another command comes next.`),
      );
    }
  }

  #encoded(verb: string, args: readonly string[]): Buffer {
    const encoded = encodeCommand(verb, args, this.limits.commandLineBytes);
    if ('complaint' in encoded) throw this.#error(badArgument(encoded.complaint));
    return encoded.bytes;
  }

  /** The status, behind any challenges that the exchange has answers to. */
  async #converse({ args, answer }: Exchange, untilMs: number): Promise<Status> {
    if (answer !== undefined) for (const said of args.slice(1)) this.#show = andWithout(this.#show, said);
    for (let challenges = 0; challenges <= MOST_CHALLENGES; challenges += 1) {
      const line = await this.#readLine(untilMs);
      const challenge = answer === undefined ? null : parseChallenge(line);
      if (answer === undefined || challenge === null) return this.#parse(line);
      const said = await answer(challenge);
      // What it says may give away as much as what is answered.
      this.#observe?.({ what: 'heard', line: `+ ${LEFT_OUT}` });
      if ('complaint' in said) throw this.unproved(said.complaint);
      if (this.#unread() > 0) throw await this.#unsolicited();
      this.#show = andWithout(this.#show, said.line);
      this.#observe?.({ what: 'said', line: LEFT_OUT });
      await this.#wire.write(Buffer.from(`${said.line}\r\n`, 'latin1'), untilMs);
    }
    throw this.broken('E_POP3_CHALLENGES', `the server sent more than ${MOST_CHALLENGES} challenges`);
  }

  async #readLine(untilMs: number): Promise<Buffer> {
    const framing = this.#status;
    for (;;) {
      this.#at = framing.push(this.#input, this.#at);
      if (framing.bareLf || framing.tooLong) break;
      const { line } = framing;
      if (line !== null) return line;
      await this.#fill(untilMs);
    }
    this.#reply = this.show(framing.partial);
    if (framing.bareLf)
      throw this.broken('E_POP3_BARE_LF', 'the answer has a line feed without carriage return');
    throw this.broken(
      'E_POP3_LINE_TOO_LONG',
      `the answer is longer than ${this.limits.statusLineBytes} bytes`,
    );
  }

  #parse(line: Buffer): Status {
    this.#reply = this.show(line);
    this.heard(this.#reply);
    const status = parseStatus(line);
    if (status !== null) return status;
    const other = this.#exchange.phase === 'greeting' ? otherProtocol(line.toString('latin1')) : null;
    if (other !== null) throw this.#wire.close(this.#error(ofAnother(other)));
    throw this.broken('E_POP3_NOT_POP3', 'the answer is no POP3 status line (+OK or -ERR)');
  }

  async #fill(untilMs: number, pace?: Pace): Promise<void> {
    const askedMs = this.#timer.now();
    this.#input = NOTHING;
    this.#at = 0;
    this.#input = await this.#wire.read(untilMs);
    pace?.note(this.#timer.now() - askedMs, this.#input.length);
  }

  async #give(take: Take, content: Buffer): Promise<void> {
    try {
      const taken = take(content);
      if (taken !== undefined) await this.#wire.lend(taken);
    } catch (error) {
      // The rest of the body is still owed, so the line is of no use any more.
      this.#wire.close(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  #unsolicited(): Promise<Pop3Error> {
    // Behind a body, or before the command.
    const unsent = this.#octets === null;
    return this.#unasked('E_POP3_UNSOLICITED', 'the server sent bytes that no command had asked for', unsent);
  }

  /** Bytes that nobody asked for, shown as the reply: often it is the server saying why it hangs up. */
  async #unasked(code: string, words: string, unsent: boolean): Promise<Pop3Error> {
    if (this.#at === this.#input.length) await this.#fill(this.#timer.now() + this.limits.commandMs);
    this.#reply = this.show(this.#input.subarray(this.#at, this.#at + this.limits.statusLineBytes));
    return this.broken(code, words, unsent);
  }

  #tooLarge(maxBytes: number): Pop3Error {
    return this.broken('E_POP3_TOO_LARGE', `the body is larger than the limit of ${maxBytes} octets`);
  }

  #tooSlow(): Pop3Error {
    const words = `less than ${this.limits.bytesPerSecond} bytes a second came${soFar(this.#situation())}`;
    return this.#wire.close(this.#error({ kind: 'lost', code: 'E_POP3_TOO_SLOW', words, next: RECONNECT }));
  }

  #situation(): Situation {
    return {
      exchange: this.#exchange,
      part: this.#octets === null ? 'answer' : 'body',
      came: this.#octets ?? this.#status.partial.length,
      reply: this.#reply,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    };
  }

  #error(told: Told): Pop3Error {
    const { kind, code, words } = told;
    if (kind === 'broken' || kind === 'lost') this.#observe?.({ what: 'dropped', code, words });
    return sessionError(this.#situation(), told);
  }
}

function badArgument(complaint: string): Told {
  const next = 'Nothing was sent. Correct the setting or the secret that the argument comes from.';
  return { kind: 'person', code: 'E_POP3_ARGUMENT', words: complaint, next };
}

function ofAnother(protocol: string): Told {
  const words = `a server of ${protocol} greets, and not one of POP3`;
  const next = 'Correct the port or the host: POP3 is nearly everywhere at port 995, or at 110 with STLS.';
  return { kind: 'person', code: 'E_POP3_OTHER_PROTOCOL', words, next };
}

function closedAlready(cause: Error): Told {
  const words = 'the connection is closed already';
  return { kind: 'lost', code: 'E_POP3_CLOSED', words, next: 'See the cause.', cause };
}
