import { type Ending, type Fault, firstBytes, inPieces } from './scriptedFaults.ts';
import type { ScriptedMessage } from './scriptedMailbox.ts';
import { type Answer, encodeAnswer, type ScriptedSession } from './scriptedSession.ts';

/** Where a conversation's bytes go: a socket, or memory. */
export interface Sink {
  /** Resolves when more may be written; rejects when the connection is gone. */
  write(bytes: Buffer): Promise<void>;
  /** Lets the peer read what was written, so that the next write is a piece of its own. */
  settle(): Promise<void>;
  end(ending: Ending): void;
  /** The line goes on under TLS, in a conversation of its own; `come` has the first bytes of the handshake. */
  startTls?(come: Buffer): void;
}

/** What one connection did. */
export interface SessionLog {
  /** In order, secrets masked; "(TLS)" where a handshake came in between. */
  readonly commands: string[];
  /** Bytes sent of each answer, the greeting first. */
  readonly answers: { readonly verb: string; bytesSent: number }[];
  /** One entry per RETR that was answered with a message. */
  readonly retrieved: { readonly number: number; readonly uidl: string; bytesSent: number; whole: boolean }[];
  bytesReceived: number;
  bytesSent: number;
  quit: boolean;
}

export interface ConversationOptions {
  readonly session: ScriptedSession;
  readonly number: number;
  readonly log: SessionLog;
  readonly faultOf: (answered: {
    readonly verb: string;
    readonly args: string;
    readonly uidl: string | undefined;
    readonly session: number;
  }) => Fault;
  readonly sink: Sink;
  readonly sleep: (ms: number) => Promise<void>;
  /** It was greeted before, in the clear. */
  readonly greeted: boolean;
}

type Retrieval = SessionLog['retrieved'][number];

/** Where an answer's bytes are counted. */
interface Entries {
  readonly sent: SessionLog['answers'][number];
  readonly retrieved: Retrieval | null;
}

/** Greets, then answers command after command, however many arrive at once, in their order. */
export class Conversation {
  readonly #options: ConversationOptions;
  #input = Buffer.alloc(0);
  #queue: Promise<void>;
  #over = false;
  #held = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#queue = options.greeted
      ? Promise.resolve()
      : this.#send({ verb: 'GREETING', args: '' }, { status: '+OK scripted server ready' });
  }

  get log(): SessionLog {
    return this.#options.log;
  }

  get number(): number {
    return this.#options.number;
  }

  receive(bytes: Buffer): void {
    this.#options.log.bytesReceived += bytes.length;
    this.#input = Buffer.concat([this.#input, bytes]);
    this.#readCommands();
  }

  #readCommands(): void {
    while (!this.#held) {
      const end = this.#input.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#input.toString('latin1', 0, end);
      this.#input = this.#input.subarray(end + 2);
      // What comes behind it may be TLS already.
      this.#held = /^STLS$/i.test(line);
      this.#queue = this.#queue.then(() => this.#command(line));
    }
  }

  /** The client has ended its side: what it had asked before is still done. */
  async ended(): Promise<void> {
    await this.#queue;
    this.dropped();
  }

  /** The connection is gone. */
  dropped(): void {
    this.#over = true;
    this.#options.session.dropped();
  }

  async #command(line: string): Promise<void> {
    if (this.#over) return;
    if (this.#options.session.isAuthenticating) {
      this.#options.log.commands.push('***');
      await this.#send({ verb: 'SASL', args: '' }, this.#options.session.continued(line));
      return;
    }
    const [word = '', ...rest] = line.split(' ');
    const verb = word.toUpperCase();
    // The client writes UTF-8.
    const args = Buffer.from(rest.join(' '), 'latin1').toString('utf8');
    const { log, session } = this.#options;
    log.commands.push(
      verb === 'PASS'
        ? 'PASS ***'
        : verb === 'AUTH'
          ? `AUTH ${rest[0]}${rest.length > 1 ? ' ***' : ''}`
          : args === ''
            ? verb
            : `${verb} ${args}`,
    );
    const answer = session.answer(verb, args);
    await this.#send({ verb, args, message: answer.message ?? session.messageOf(args) }, answer);
  }

  async #send(
    about: { verb: string; args: string; message?: ScriptedMessage | undefined },
    answer: Answer,
  ): Promise<void> {
    const { session, number, log, sink } = this.#options;
    const fault = this.#options.faultOf({
      verb: about.verb,
      args: about.args,
      uidl: about.message?.uidl,
      session: number,
    });
    if (fault.ineffective !== true) answer.effect?.();
    if (answer.ends) log.quit = true;
    const sent = { verb: about.verb, bytesSent: 0 };
    log.answers.push(sent);
    try {
      await this.#deliver(answer, fault, { sent, retrieved: this.#beginRetrieval(about, answer) });
    } catch {
      this.dropped();
    }
    const ending = fault.ending ?? (fault.cutAt !== undefined || answer.ends ? 'fin' : undefined);
    if (ending === undefined && this.#held) this.#goOn(answer, fault);
    if (ending === undefined || this.#over) return;
    this.#over = true;
    // A server that has hung up lets go of the mailbox; one that is silent keeps it until the line is gone.
    if (ending !== 'stall') session.dropped();
    sink.end(ending);
  }

  /** Behind STLS: under TLS if that was agreed to, else with the commands that came since. */
  #goOn(answer: Answer, fault: Fault): void {
    const agreed = answer.startsTls && (typeof fault.reply !== 'string' || fault.reply.startsWith('+OK'));
    if (agreed && fault.ineffective !== true && !this.#over) {
      this.#over = true;
      this.#options.sink.startTls?.(this.#input);
      return;
    }
    this.#held = false;
    this.#readCommands();
  }

  async #deliver(answer: Answer, fault: Fault, { sent, retrieved }: Entries): Promise<void> {
    const { log, sink, sleep } = this.#options;
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    const whole = encodeAnswer(answer, fault);
    const bytes = fault.cutAt === undefined ? whole : firstBytes(whole, fault.cutAt);
    const pieces = inPieces(bytes, fault.pieces)[Symbol.iterator]();
    for (let next = pieces.next(); !next.done; ) {
      if (this.#over) return;
      const piece = next.value;
      next = pieces.next();
      // Noted before the write, so that a client that has read an answer finds it in the log.
      for (const entry of [log, sent, retrieved]) if (entry !== null) entry.bytesSent += piece.length;
      if (next.done && fault.cutAt === undefined) this.#whole(answer, retrieved);
      await sink.write(piece);
      if (fault.pieces !== undefined) await sink.settle();
      if (fault.dripMs !== undefined) await sleep(fault.dripMs);
    }
  }

  #whole(answer: Answer, retrieved: Retrieval | null): void {
    answer.sent?.();
    if (retrieved !== null) retrieved.whole = true;
  }

  #beginRetrieval(about: { verb: string; args: string }, answer: Answer): Retrieval | null {
    if (about.verb !== 'RETR' || answer.message === undefined) return null;
    const entry = { number: Number(about.args), uidl: answer.message.uidl, bytesSent: 0, whole: false };
    this.#options.log.retrieved.push(entry);
    return entry;
  }
}
