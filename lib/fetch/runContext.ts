import type { Mailbox } from '../mailbox/settings.ts';
import { type MessageRef, refKey } from '../mailbox/state.ts';
import type { StateFile } from '../mailbox/stateFile.ts';
import type { Sampled } from '../mailbox/unheeded.ts';
import type { Pop3Error } from '../pop3/errors.ts';
import type { Deadline } from './deadline.ts';
import type { FetchPorts } from './ports.ts';
import type { ProgressMeter } from './progressMeter.ts';
import { RefSet } from './refSet.ts';
import { MESSAGES_REPORTED, type MessageTrouble } from './report.ts';
import type { Session } from './session.ts';
import { RunEnded, troubleOf } from './trouble.ts';

/** What one run knows and has done; it ends with the run. */
export interface RunContext {
  readonly mailbox: Mailbox;
  readonly ports: FetchPorts;
  readonly state: StateFile;
  /** Id of this run. */
  readonly run: string;
  readonly deadline: Deadline;
  readonly tally: Tally;
  readonly progress: ProgressMeter;
  /** Tried in this run and not to be tried again in company: by ref. */
  readonly postponed: Set<string>;
  /** Content of messages that must go under the key which content decides: by `contentKeyOf`. */
  readonly contentKeys: Map<string, string>;
  /** Tried alone in this run, which is once enough: by ref. */
  readonly triedAlone: Set<string>;
  /** Up to two messages that came whole in this run: then the refused RETR of another is its own trouble. By ref. */
  readonly whole: Set<string>;
  /** The refusal of a RETR, where nothing else came that would make it the message's own trouble. */
  refusal: Pop3Error | null;
  /** A window whose commands were sent together has come whole. */
  pipelineHeld: boolean;
  /** Came short in such a window, and is asked for once more by itself: by ref. */
  readonly cameShort: Set<string>;
  /** Something may be in the store that is not on record: by ref. */
  readonly begun: Set<string>;
  /** Not to be deleted in this run, whatever the policy. */
  readonly kept: RefSet;
  /** The latest one, open or not: its listing is what the report is about. */
  session: Session | null;
}

/** What is there before the state is read. */
export type RunBegin = Pick<RunContext, 'mailbox' | 'ports' | 'run' | 'deadline' | 'tally' | 'progress'>;

export function contextOf(begin: RunBegin, state: StateFile): RunContext {
  return {
    ...begin,
    state,
    postponed: new Set(),
    contentKeys: new Map(),
    triedAlone: new Set(),
    whole: new Set(),
    refusal: null,
    pipelineHeld: false,
    cameShort: new Set(),
    begun: new Set(),
    kept: new RefSet(),
    session: null,
  };
}

/** Counts and words of a run, for its report. */
export class Tally {
  /** Messages that this run put on record. */
  readonly stored = new RefSet();
  /** The latest trouble of each message that this run tried without success. */
  readonly #failed = new Map<string, MessageTrouble>();
  readonly #notes = new Set<string>();
  /** Rows deleted in sessions of this run that ended well: how many, by ref. */
  readonly gone = new Map<string, { readonly ref: MessageRef; rows: number }>();
  bytesStored = 0;
  signIns = 0;
  /** What the server announced last, in milliseconds between two sign-ins. */
  loginDelayMs = 0;
  requested = 0;
  committed = 0;
  /** Of what the last session with committed deletes deleted. */
  sample: readonly Sampled[] = [];

  /** A run that ended before it was done with a message has not reached it. */
  failed(ref: MessageRef, error: unknown, mailbox: string): void {
    if (error instanceof RunEnded) return;
    this.#failed.set(refKey(ref), { uidl: ref.uidl, ...troubleOf(error, mailbox) });
  }

  done(ref: MessageRef): void {
    this.#failed.delete(refKey(ref));
  }

  hasFailed(ref: MessageRef): boolean {
    return this.#failed.has(refKey(ref));
  }

  note(text: string): void {
    this.#notes.add(text);
  }

  get notes(): readonly string[] {
    return [...this.#notes];
  }

  get messages(): readonly MessageTrouble[] {
    return [...this.#failed.values()].slice(0, MESSAGES_REPORTED);
  }
}

/** On record, or nothing is left of it to resolve. */
export function resolved({ tally, begun, postponed }: RunContext, ref: MessageRef): void {
  tally.done(ref);
  begun.delete(refKey(ref));
  postponed.delete(refKey(ref));
}

/** Not again in company during this run; its intent stays open. */
export function postpone(context: RunContext, ref: MessageRef, error: unknown): void {
  context.postponed.add(refKey(ref));
  context.tally.failed(ref, error, context.mailbox.id);
}

/** A consumer removed the object: it is not stored anew, and the mail is never deleted from the server. */
export function keepMissing({ tally, kept }: RunContext, ref: MessageRef): void {
  tally.note(
    'Objects of messages on record are no longer in the store; those messages are kept on the server.',
  );
  kept.add(ref);
}
