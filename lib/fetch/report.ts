import type { Diagnosis } from '../mailbox/state.ts';

/** What a run says of itself; `listed` is the sum of the seven other counts. */

export interface Counts {
  /** Messages that the server listed during the run, each once. */
  readonly listed: number;
  /** Stored, announced and on record since this run began, by this run. */
  readonly stored: number;
  readonly alreadyStored: number;
  /** Left alone: no UIDL tells them from others, they were there before the start, or they are over the size limit. */
  readonly skipped: number;
  readonly setAside: number;
  /** Tried in this run without success; they are tried again. */
  readonly failed: number;
  /** Not tried: the time was up, another run has them in hand, or the session ended first. */
  readonly notReached: number;
}

/** An error as a person should read it. */
export interface Trouble {
  /** Stable, for programs: E_… */
  readonly code: string;
  /** Where in the run: a POP3 phase, store, events, secret, state or settings. */
  readonly phase: string;
  /** Names the mailbox; the server's words are in it. */
  readonly message: string;
  /** Whether the same may work later ('later'), or a person must act. */
  readonly kind: 'later' | 'person';
  /** Where it is one of getting in. */
  readonly diagnosis?: Diagnosis;
}

/** A message that was tried in this run and is not stored, or is stored and cannot be deleted. */
export interface MessageTrouble extends Trouble {
  readonly uidl: string;
}

export interface RunReport {
  readonly mailbox: string;
  /** Of this run: 32 hex digits. */
  readonly run: string;
  /**
   * done: nothing is left to do now. more: another run goes on where this one stopped. failed: see `error`.
   * waiting: the mailbox is backed off after failures, or the server wants time between two sign-ins; it was not tried.
   */
  readonly outcome: 'done' | 'more' | 'failed' | 'waiting';
  readonly counts: Counts;
  /** DELEs that the server accepted, and those of them whose session ended by an answered QUIT. */
  readonly deletions: { readonly requested: number; readonly committed: number };
  /** Octets stored by this run. */
  readonly bytesStored: number;
  readonly signIns: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** At most 20; the counts are complete. */
  readonly messages: readonly MessageTrouble[];
  /** What a person should know though nothing failed, for example why nothing is deleted. */
  readonly notes: readonly string[];
  readonly error: Trouble | null;
  /** Of a run that waits, and of no other. */
  readonly waiting?: Waiting;
  /** Absent where the state could not be read, or the time was up before the run had ended. */
  readonly standing?: Standing;
}

/** How the mailbox stands after the run, as its state has it. */
export interface Standing {
  /** Whether messages that may have killed a process wait to be tried with nothing else under way. */
  readonly suspects: boolean;
  /** Epoch milliseconds, noted each four hours while the mailbox is idle; 0: never. */
  readonly lastSuccessMs: number;
  /** `told`: whether a person was told, or is about to be. Null: its last attempt went well. */
  readonly failing: { readonly sinceMs: number; readonly told: boolean } | null;
}

/** Why a mailbox was not tried, and until when not. */
export interface Waiting {
  /** ISO 8601, UTC. */
  readonly until: string;
  readonly code: string;
  /** Names the mailbox; the server's words are in it. */
  readonly message: string;
}

/** Whether a run that left suspects alone left some, and its mailbox can be reached. */
export function leftSuspects({ outcome, standing }: RunReport): boolean {
  return (outcome === 'more' || outcome === 'done') && standing?.suspects === true;
}

export const MESSAGES_REPORTED = 20;

/** What a terminal shows while a run goes on. */
export interface Progress {
  readonly mailbox: string;
  /** What the run does now, for example "signing in", "storing". */
  readonly step: string;
  /** Of the messages that this run means to store. */
  readonly stored: number;
  readonly toStore: number;
  /** Octets, what has to be retrieved again counted again. */
  readonly bytesReceived: number;
  /** Octets as the server announced them. */
  readonly bytesToStore: number;
}
