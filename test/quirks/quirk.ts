/** The rows of the quirk table: what a server does, and what must come of it, as data. */
import type { RunReport } from '../../lib/fetch/report.ts';
import { letter, type World, type WorldOptions } from '../fetch/world.ts';
import { type Fault, mail, type ScriptedMessage } from '../servers/scripted.ts';

/** A run of the real engine against the scripted server. */
export interface Tried {
  /** Of the list of quirks. */
  readonly ids: readonly string[];
  readonly when: string;
  /** Messages: five letters, a to e, unless it says others. */
  readonly world: WorldOptions;
  /** Default: 2. */
  readonly runs?: number;
  /** Time passes 600 times as fast, for servers that take theirs. */
  readonly hurried?: true;
  /** What happens to the mailbox before the second run, and each later one. */
  readonly between?: (world: World, run: number) => void;
  readonly outcome: Expected;
}

export interface Expected {
  /** What the first and the last report match. */
  readonly first?: object;
  readonly last?: object;
  /** How many of the messages are stored; default: all that the server ever held. */
  readonly stored?: number;
  /** Messages announced; default: as many as are stored. */
  readonly events?: number;
  /** How many are left on the server; default: all where mail is kept, else none. */
  readonly left?: number;
  /** RETRs over all runs. */
  readonly retrieved?: number;
  /** In the notes, messages or error of any run. */
  readonly says?: RegExp;
  /** No command looks like this. */
  readonly never?: RegExp;
  readonly check?: (world: World, reports: readonly RunReport[]) => void | Promise<void>;
}

/** Covered elsewhere: the title stands in that file. */
export interface Shown {
  readonly ids: readonly string[];
  readonly by: readonly { readonly file: string; readonly title: string }[];
}

/** Not covered, and why. */
export interface Left {
  readonly ids: readonly string[];
  readonly because: string;
}

export interface Group {
  readonly name: string;
  /** All that the list of quirks has in it. */
  readonly ids: string;
  readonly tried: readonly Tried[];
  readonly shown: readonly Shown[];
  readonly left: readonly Left[];
}

export const DELETES = { delete: 'when-stored' } as const;

export const five = (): ScriptedMessage[] =>
  ['a', 'b', 'c', 'd', 'e'].map((name) => mail(name, letter(name)));

/** A fault that always strikes one verb, or one message's. */
export const answers = (verb: string, reply: string, more: Partial<Fault> = {}): Fault => ({
  verb,
  reply,
  ...more,
});

/** The line ends before the first byte of the answer. */
export const hangsUp = (verb: string, more: Partial<Fault> = {}): Fault => ({
  verb,
  cutAt: 0,
  ending: 'fin',
  ...more,
});

export const once = { times: 1 } as const;

/** Every command that any session sent. */
export function commandsOf({ server }: World): readonly string[] {
  return server.log.sessions.flatMap(({ commands }) => commands);
}
