import { randomBytes } from 'node:crypto';
import { Conversation, type SessionLog, type Sink } from './scriptedConversation.ts';
import { type Fault, faultTable } from './scriptedFaults.ts';
import type { Behaviour, Removal, ScriptedMailbox, ScriptedMessage } from './scriptedMailbox.ts';
import { ScriptedSession } from './scriptedSession.ts';

export interface ScriptedStateOptions {
  /** Of the first mailbox, whose user is "ferry". */
  readonly messages?: readonly ScriptedMessage[];
  /** More mailboxes, by user name. */
  readonly users?: Readonly<Record<string, readonly ScriptedMessage[]>>;
  readonly behaviour?: Behaviour;
  readonly faults?: readonly Fault[];
}

export interface ScriptedLog {
  /** One entry per connection, in the order of their greetings; none before its TLS handshake is done. */
  readonly sessions: SessionLog[];
  /** TCP connections, whether or not a handshake followed. */
  connections: number;
}

/** A scripted server without its network: what it holds, what it did, and how to talk to it. */
export interface ScriptedState {
  readonly user: string;
  /** Random at each start. */
  readonly password: string;
  /** What the first mailbox holds, live: a test may push new mail. */
  readonly messages: ScriptedMessage[];
  /** Deletes that took effect, in the first mailbox. */
  readonly removals: readonly Removal[];
  readonly mailboxes: ReadonlyMap<string, ScriptedMailbox>;
  readonly log: ScriptedLog;
  /** A new connection, which is greeted at once; `under` names one in the clear that goes on under TLS. */
  converse(sink: Sink, sleep: (ms: number) => Promise<void>, under?: Conversation): Conversation;
}

export function scriptedState(options: ScriptedStateOptions): ScriptedState {
  const first = newMailbox('ferry', options.messages ?? []);
  const others = Object.entries(options.users ?? {}).map(([user, messages]) => newMailbox(user, messages));
  const mailboxes = new Map([first, ...others].map((mailbox) => [mailbox.user, mailbox]));
  const log: ScriptedLog = { sessions: [], connections: 0 };
  const faultOf = faultTable(options.faults ?? []);
  return {
    user: first.user,
    password: first.password,
    messages: first.messages,
    removals: first.removals,
    mailboxes,
    log,
    converse(sink, sleep, under) {
      const entry: SessionLog = under?.log ?? {
        commands: [],
        answers: [],
        retrieved: [],
        bytesReceived: 0,
        bytesSent: 0,
        quit: false,
      };
      const number = under?.number ?? log.sessions.push(entry);
      if (under !== undefined) entry.commands.push('(TLS)');
      const offersTls = sink.startTls !== undefined;
      const behaviour = options.behaviour ?? {};
      const session = new ScriptedSession({ mailboxes, behaviour, session: number, offersTls });
      return new Conversation({
        session,
        number,
        log: entry,
        faultOf,
        sink,
        sleep,
        greeted: under !== undefined,
      });
    },
  };
}

function newMailbox(user: string, messages: readonly ScriptedMessage[]): ScriptedMailbox {
  const password = randomBytes(12).toString('base64url');
  return { user, password, messages: [...messages], hidden: new Set(), removals: [], openSessions: 0 };
}
