/** Where in a run an instant fell: told by what its process had asked of the POP3 server, and by what was durable. */

/** With the crash points of ARCHITECTURE.md that a kill there leaves. */
export const PHASES = {
  'start-up': 'before its first connection',
  'signing in': 'c0',
  listing: 'c0, c1: reading the state, planning, writing the intents',
  retrieving: 'c2, c3: no object of this run yet',
  storing: 'c3 to c6: fewer objects than it asked for',
  announcing: 'c7: fewer events than objects',
  committing: 'c8 to c10',
  proving: 'c10: TOP and the store asked before a DELE by record',
  deleting: 'c11',
  ending: 'c12: QUIT is sent',
} as const;

export type Phase = keyof typeof PHASES;

/** Of a mailbox since the run began; where others run at once, theirs too. */
export interface Gained {
  readonly objects: number;
  readonly events: number;
}

/** What a process alone had done. */
export interface Said {
  readonly connected: boolean;
  readonly verbs: readonly string[];
}

export function phaseOf({ connected, verbs }: Said, gained: Gained): Phase {
  const last = verbs.at(-1);
  if (!connected) return 'start-up';
  if (last === 'QUIT') return 'ending';
  if (last === 'DELE') return 'deleting';
  if (last === 'TOP') return 'proving';
  const retrieved = verbs.filter((verb) => verb === 'RETR').length;
  if (retrieved === 0) return verbs.includes('UIDL') ? 'listing' : 'signing in';
  if (gained.objects === 0) return 'retrieving';
  if (gained.objects < retrieved) return 'storing';
  return gained.events < gained.objects ? 'announcing' : 'committing';
}
