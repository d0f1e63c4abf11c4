/**
 * Servers of rare kinds: without UIDL, or with message numbers for UIDLs; that refuse a listing of nothing, say -ERR to
 * QUIT behind deletes, or let nobody in twice. Drawn from a stream of its own, so that a history without them is what its
 * seed always was.
 */
import { Chance } from './chance.ts';
import { NO_POLICIES, type Policies } from './policies.ts';
import type { SimulatedProcess } from './process.ts';
import type { Circumstances } from './swarm.ts';

export interface Oddities {
  /** 'numbers': of the session that asks. */
  readonly uidls: 'lasting' | 'none' | 'numbers';
  /** It tells no capabilities. */
  readonly capaRefused: boolean;
  /** Answered -ERR while there is no message. */
  readonly refusedEmpty: readonly ('UIDL' | 'LIST')[];
  /** What QUIT behind deletes comes to. */
  readonly quits: 'well' | '-ERR, and all is done' | '-ERR, and some is done';
  /** How often a process that was in before is turned away, and how. */
  readonly again: number;
  readonly againSays:
    | '-ERR [IN-USE] locked'
    | '-ERR [LOGIN-DELAY] not so soon'
    | 'nothing, and the line ends';
}

export const NO_ODDITIES: Oddities = {
  uidls: 'lasting',
  capaRefused: false,
  refusedEmpty: [],
  quits: 'well',
  again: 0,
  againSays: '-ERR [IN-USE] locked',
};

const WITHOUT_UIDL = 0.05;
const NUMBERED = 0.06;

/** Of those without UIDL, how many keep whatever settings they have, by which such mail is not taken. */
const UNSERVED = 0.15;

interface Drawn {
  readonly oddities: Oddities;
  readonly served: boolean;
}

function drawn(seed: number): Drawn {
  const chance = new Chance(seed + 0x0dd17);
  const kind = chance.next();
  const uidls = kind < WITHOUT_UIDL ? 'none' : kind < WITHOUT_UIDL + NUMBERED ? 'numbers' : 'lasting';
  const oddities: Oddities = {
    uidls,
    capaRefused: chance.happens(0.3) && uidls !== 'lasting',
    refusedEmpty: chance.happens(0.05) ? chance.pick([['UIDL'], ['LIST'], ['UIDL', 'LIST']]) : [],
    quits: chance.happens(0.04)
      ? chance.pick(['-ERR, and all is done', '-ERR, and some is done', '-ERR, and some is done'])
      : 'well',
    again: chance.happens(0.05) ? chance.pick([0.3, 0.7, 1]) : 0,
    againSays: chance.pick([
      '-ERR [IN-USE] locked',
      '-ERR [LOGIN-DELAY] not so soon',
      'nothing, and the line ends',
    ]),
  };
  return { oddities, served: !chance.happens(UNSERVED) };
}

/** As the seed's oddities make them. */
export function oddly(
  seed: number,
  circumstances: Circumstances,
  policies: Policies,
): { readonly circumstances: Circumstances; readonly policies: Policies } {
  const { oddities, served } = drawn(seed);
  const manners = { ...circumstances.manners, ...oddities, ...patience(oddities, circumstances) };
  const odd = { ...circumstances, manners };
  if (oddities.uidls === 'none') {
    // Of the size of other mail, which is all that it is first known by.
    const postage = { ...odd.postage, reuses: 0.9 };
    if (!served) return { circumstances: { ...odd, postage }, policies };
    const { sizeLimit } = policies;
    return { circumstances: { ...odd, postage, deletes: true }, policies: { ...NO_POLICIES, sizeLimit } };
  }
  if (oddities.uidls === 'numbers') return { circumstances: numbered(odd), policies };
  return { circumstances: odd, policies };
}

/**
 * Where deletes are ignored and nothing shows it, since no UIDL lasts, each run asks for them, and what must not share a
 * session with them waits for a second one, which must fail in words.
 */
function patience({ uidls }: Oddities, { manners }: Circumstances): Partial<Oddities> {
  return uidls !== 'lasting' && manners.deletes === 'ignored' ? { againSays: '-ERR [IN-USE] locked' } : {};
}

/**
 * Number, size and a header that tells it from others are together what a message is known by: no other has them. A
 * sender knows the numbers; what the size of his mail will be he does not.
 */
function numbered(base: Circumstances): Circumstances {
  const { manners, postage } = base;
  return {
    ...base,
    rounds: base.rounds + 1,
    manners: { ...manners, shuffles: false, listOfOne: true },
    postage: { ...postage, reuses: 0.9, clones: 0, unsized: 0, guesses: true },
  };
}

/** Where nobody is let in twice. */
export function turnsAwayAgain({ again }: Oddities, { signIns, chance }: SimulatedProcess): boolean {
  return signIns > 0 && chance.happens(again);
}
