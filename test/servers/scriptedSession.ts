import type { AuthConversation } from './scriptedAuth.ts';
import type { Fault } from './scriptedFaults.ts';
import type { Behaviour, ScriptedMailbox, ScriptedMessage } from './scriptedMailbox.ts';

/** An honest POP3 session (RFC 1939, 2449) over a mailbox: a command line in, an answer out, no I/O. */
export interface Answer {
  /** Status line without CRLF. */
  readonly status: string;
  /** The body, not stuffed; absent where the answer is the status line alone. */
  readonly body?: Iterable<Buffer>;
  /** The message concerned. */
  readonly message?: ScriptedMessage;
  /** What the command does to the mailbox; done before the answer is sent, so that a lost answer is no undo. */
  readonly effect?: () => void;
  /** What follows once the answer was sent whole. */
  readonly sent?: () => void;
  readonly ends?: boolean;
  /** Behind it the line goes on under TLS. */
  readonly startsTls?: boolean;
}

export interface SessionContext {
  readonly mailboxes: ReadonlyMap<string, ScriptedMailbox>;
  readonly behaviour: Behaviour;
  /** Which connection, from 1. */
  readonly session: number;
  /** The line is in the clear, and STLS (RFC 2595) is offered. */
  readonly offersTls: boolean;
}

export const DEFAULT_CAPABILITIES = ['TOP', 'UIDL', 'USER', 'RESP-CODES', 'PIPELINING'];

interface Slot {
  readonly message: ScriptedMessage;
  deleted: boolean;
  retrieved: boolean;
}

export class ScriptedSession {
  readonly #context: SessionContext;
  #user = '';
  #mailbox: ScriptedMailbox | null = null;
  #slots: Slot[] = [];
  #auth: AuthConversation | null = null;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The message that a command is about, by this session's numbering. */
  messageOf(args: string): ScriptedMessage | undefined {
    return this.#slots[Number(args.split(' ')[0]) - 1]?.message;
  }

  answer(verb: string, args: string): Answer {
    if (verb === 'QUIT') return { status: '+OK bye', ends: true, effect: () => this.#update('QUIT') };
    if (verb === 'CAPA') return this.#capa();
    if (verb === 'STLS' && this.#context.offersTls && this.#mailbox === null)
      return { status: '+OK begin TLS negotiation', startsTls: true };
    if (this.#mailbox === null) return this.#authorize(verb, args);
    switch (verb) {
      case 'STAT':
        return {
          status: `+OK ${this.#listed().length} ${sum(this.#listed().map(([, { message }]) => message.octets))}`,
        };
      case 'NOOP':
        return { status: '+OK' };
      case 'RSET':
        return { status: '+OK', effect: () => this.#unmark() };
      case 'LIST':
        return this.#rows(args, ({ announced, octets }) => `${announced ?? octets}`);
      case 'UIDL':
        if (this.#context.behaviour.withoutUidl) return { status: '-ERR unknown command' };
        return this.#rows(args, ({ uidl }) => uidl);
      case 'RETR':
      case 'TOP':
      case 'DELE':
        return this.#aboutMessage(verb, args);
      default:
        return { status: '-ERR unknown command' };
    }
  }

  /** The next line is no command, but what AUTH asked for. */
  get isAuthenticating(): boolean {
    return this.#auth !== null;
  }

  /** That line. */
  continued(line: string): Answer {
    if (line === '*') {
      this.#auth = null;
      return { status: '-ERR cancelled' };
    }
    return this.#afterAuth(this.#auth?.next(line));
  }

  #beginAuth(args: string): Answer {
    const { auth } = this.#context.behaviour;
    if (auth === undefined) return { status: '-ERR unknown command' };
    const [mechanism = '', initial = null] = args.split(' ');
    const passwordOf = (user: string) => this.#context.mailboxes.get(user)?.password;
    this.#auth = auth({ mechanism, initial, passwordOf });
    return this.#afterAuth(this.#auth.next(''));
  }

  #afterAuth(step: ReturnType<AuthConversation['next']> | undefined): Answer {
    if (step !== undefined && !step.done) return { status: `+ ${step.value}` };
    this.#auth = null;
    if (step === undefined) return { status: '-ERR' };
    if ('refused' in step.value) return { status: step.value.refused };
    return this.#opened(this.#context.mailboxes.get(step.value.user));
  }

  /** The connection is gone without QUIT. */
  dropped(): void {
    if (this.#context.behaviour.deletes === 'at disconnect') this.#update('disconnect');
    this.#release();
  }

  #capa(): Answer {
    const { capabilities = DEFAULT_CAPABILITIES } = this.#context.behaviour;
    if (capabilities === null) return { status: '-ERR unknown command' };
    const offered = this.#context.offersTls ? [...capabilities, 'STLS'] : capabilities;
    return { status: '+OK capability list follows', body: lines(offered) };
  }

  #authorize(verb: string, args: string): Answer {
    if (verb === 'USER') {
      this.#user = args;
      return { status: '+OK send PASS' };
    }
    if (verb === 'AUTH') return this.#beginAuth(args);
    if (verb !== 'PASS') return { status: '-ERR sign in first' };
    const mailbox = this.#context.mailboxes.get(this.#user);
    return this.#opened(mailbox?.password === args ? mailbox : undefined);
  }

  #opened(mailbox: ScriptedMailbox | undefined): Answer {
    if (mailbox === undefined) return { status: '-ERR [AUTH] wrong user name or password' };
    if (this.#context.behaviour.exclusive && mailbox.openSessions > 0)
      return { status: '-ERR [IN-USE] mailbox is locked' };
    mailbox.openSessions++;
    this.#mailbox = mailbox;
    const visible = mailbox.messages.filter((message) => !mailbox.hidden.has(message));
    this.#slots = visible.map((message) => ({ message, deleted: false, retrieved: false }));
    return { status: `+OK ${this.#slots.length} messages` };
  }

  #rows(args: string, cell: (message: ScriptedMessage) => string): Answer {
    if (args === '') {
      const rows = this.#listed();
      return {
        status: `+OK ${rows.length} messages`,
        body: lines(map(rows, ([n, { message }]) => `${n} ${cell(message)}`)),
      };
    }
    const slot = this.#slot(args);
    if (slot === undefined) return { status: '-ERR no such message' };
    return { status: `+OK ${args} ${cell(slot.message)}`, message: slot.message };
  }

  #aboutMessage(verb: 'RETR' | 'TOP' | 'DELE', args: string): Answer {
    const [number = '', count = ''] = args.split(' ');
    const slot = this.#slot(number);
    if (slot === undefined) return { status: '-ERR no such message' };
    const { message } = slot;
    if (verb === 'RETR') {
      return {
        status: `+OK ${message.octets} octets`,
        body: message.chunks(),
        message,
        sent: () => this.#retrieved(slot),
      };
    }
    if (verb === 'DELE') {
      return { status: '+OK marked', message, effect: () => this.#mark(slot) };
    }
    if (this.#context.behaviour.withoutTop) return { status: '-ERR unknown command' };
    const body = this.#context.behaviour.topIsWhole ? message.chunks() : top(message, Number(count));
    return { status: '+OK top of message follows', body, message };
  }

  #mark(slot: Slot): void {
    slot.deleted = this.#context.behaviour.deletes !== 'ignored';
  }

  #unmark(): void {
    for (const slot of this.#slots) slot.deleted = false;
  }

  #retrieved(slot: Slot): void {
    slot.retrieved = true;
    if (this.#context.behaviour.hides === 'at RETR') this.#mailbox?.hidden.add(slot.message);
  }

  #listed(): [number, Slot][] {
    return this.#slots
      .map((slot, index): [number, Slot] => [index + 1, slot])
      .filter(([, slot]) => !slot.deleted);
  }

  #slot(number: string): Slot | undefined {
    const slot = /^\d+$/.test(number) ? this.#slots[Number(number) - 1] : undefined;
    return slot?.deleted ? undefined : slot;
  }

  #update(by: 'QUIT' | 'disconnect'): void {
    const mailbox = this.#mailbox;
    if (mailbox === null) return;
    for (const { message, deleted, retrieved } of this.#slots) {
      if (by === 'QUIT' && retrieved && this.#context.behaviour.hides === 'at QUIT')
        mailbox.hidden.add(message);
      const at = deleted ? mailbox.messages.indexOf(message) : -1;
      if (at < 0) continue;
      mailbox.messages.splice(at, 1);
      mailbox.removals.push({ uidl: message.uidl, message, by, session: this.#context.session });
    }
    this.#release();
  }

  #release(): void {
    if (this.#mailbox !== null) this.#mailbox.openSessions--;
    this.#mailbox = null;
    this.#slots = [];
  }
}

/** The answer's bytes on the wire, with what the fault changes about them. */
export function* encodeAnswer(answer: Answer, fault: Fault): Iterable<Buffer> {
  if (fault.prefix !== undefined) yield Buffer.from(fault.prefix, 'latin1');
  if (typeof fault.reply === 'function') yield* fault.reply();
  else if (fault.reply !== undefined) yield Buffer.from(fault.reply, 'latin1');
  else {
    yield Buffer.from(`${answer.status}\r\n`, 'latin1');
    if (answer.body !== undefined) {
      yield* fault.stuffing === false ? answer.body : stuffed(answer.body);
      yield Buffer.from(fault.terminator ?? '.\r\n', 'latin1');
    }
  }
  if (fault.suffix !== undefined) yield Buffer.from(fault.suffix, 'latin1');
}

const DOT = Buffer.from('.');

/** A dot before each line that begins with one; lines begin behind CRLF only. */
function* stuffed(chunks: Iterable<Buffer>): Iterable<Buffer> {
  let tail = '\r\n';
  for (const chunk of chunks) {
    let from = 0;
    for (const dot of dotsAtLineStart(tail, chunk)) {
      yield chunk.subarray(from, dot);
      yield DOT;
      from = dot;
    }
    yield chunk.subarray(from);
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 2))).slice(-2);
  }
}

/** @param before the last two characters in front of the chunk */
function* dotsAtLineStart(before: string, chunk: Buffer): Iterable<number> {
  const seam = before + chunk.toString('latin1', 0, 2);
  for (const at of [0, 1]) if (seam.startsWith('\r\n.', at)) yield at;
  for (let at = chunk.indexOf('\r\n.'); at >= 0; at = chunk.indexOf('\r\n.', at + 2)) yield at + 2;
}

function* top(message: ScriptedMessage, count: number): Iterable<Buffer> {
  let left = count;
  let inBody = false;
  let line = '';
  for (const chunk of message.chunks()) {
    const parts = (line + chunk.toString('latin1')).split('\r\n');
    line = parts.pop() ?? '';
    for (const part of parts) {
      if (inBody && left-- <= 0) return;
      yield Buffer.from(`${part}\r\n`, 'latin1');
      if (part === '') inBody = true;
    }
  }
}

/** Many rows in few pieces, made as they are sent. */
function* lines(rows: Iterable<string>): Iterable<Buffer> {
  let block = '';
  for (const row of rows) {
    block += `${row}\r\n`;
    if (block.length < 32 * 1024) continue;
    yield Buffer.from(block, 'latin1');
    block = '';
  }
  if (block !== '') yield Buffer.from(block, 'latin1');
}

function* map<A, B>(items: Iterable<A>, change: (item: A) => B): Iterable<B> {
  for (const item of items) yield change(item);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
