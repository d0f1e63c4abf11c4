/**
 * What happens to one mailbox, decided by a seed before it begins: its mail, what arrives meanwhile, and when who
 * is killed. Instants are parts of a whole, since how long a run takes is the machine's to say.
 */
import { createHash } from 'node:crypto';

/** Who is struck. session: the process that serves the mailbox. server: the POP3 server with all its processes. */
export const VICTIMS = ['client', 'zombie', 'session', 'server', 'store'] as const;
export type Victim = (typeof VICTIMS)[number];

/** A sign of life of a process; from then on an instant is counted. */
export type Sign = 'started' | 'connected' | 'listing';

export interface Instant {
  readonly from: Sign;
  /** Of the time from there to the process's first connection (started) or to its end. [0, 1), uniform. */
  readonly at: number;
}

export interface Step {
  /** Octets of each message that arrives before it. */
  readonly arriving: readonly number[];
  readonly victim: Victim;
  /** One for each run at once; null: nobody strikes this run. A server is struck at the first one's instant. */
  readonly runs: readonly (Instant | null)[];
  /** A zombie goes on only after its run's deadline. */
  readonly beyond: boolean;
}

export interface Plan {
  /** Octets of each message that is there at first. */
  readonly mail: readonly number[];
  readonly steps: readonly Step[];
}

/** Fewer than the attempts after which a message is set aside, which the settings of the trials put at 20. */
const STEPS = 10;

const MAIL = { least: 2, most: 20 } as const;
const ARRIVING = { least: 0, most: 12 } as const;

/** More than one part of an upload. */
const LARGE_BYTES = 9 * 1024 * 1024;

/** Of all trials, those with a large message. */
const LARGE_SHARE = 1 / 6;

/**
 * Node takes longer to start, and TLS and Dovecot to sign in, than a small run to fetch: over all of a process's time
 * most instants would fall where nothing is at stake.
 */
const SIGN_SHARES: Readonly<Record<Sign, number>> = { started: 0.06, connected: 0.34, listing: 0.6 };

const VICTIM_SHARES: Readonly<Record<Victim, number>> = {
  client: 0.68,
  zombie: 0.08,
  session: 0.1,
  server: 0.07,
  store: 0.07,
};

/** Runs at once, 1, 2 or 3. */
const COMPANY_SHARES = { 1: 0.6, 2: 0.25, 3: 0.15 } as const;

/** Of runs in company, those that are struck. */
const STRUCK_SHARE = 0.85;

/** Numbers in [0, 1) that depend on the text and on how many were drawn, alone. */
export type Random = () => number;

export function seeded(text: string): Random {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${drawn} ${text}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}

/** `store`: whether there is a process of the store's to kill. */
export function planOf(random: Random, { store }: { readonly store: boolean }): Plan {
  const mail = sizes(random, MAIL);
  if (random() < LARGE_SHARE) mail.splice(Math.floor(random() * mail.length), 1, LARGE_BYTES);
  return { mail, steps: Array.from({ length: STEPS }, () => stepOf(random, store)) };
}

function stepOf(random: Random, store: boolean): Step {
  const drawn = chosen(random, VICTIM_SHARES);
  const victim = drawn === 'store' && !store ? 'client' : drawn;
  const company = Number(chosen(random, COMPANY_SHARES));
  const arriving = sizes(random, ARRIVING);
  const runs = Array.from({ length: company }, (_, index) => {
    const struck = index === 0 || (victim === 'client' && random() < STRUCK_SHARE);
    return struck ? instantOf(random, victim) : null;
  });
  return { arriving, victim, runs, beyond: random() < 0.5 };
}

/** A server is struck while somebody uses it. */
function instantOf(random: Random, victim: Victim): Instant {
  const from = chosen(random, SIGN_SHARES);
  const ours = victim === 'client' || victim === 'zombie';
  return { from: from === 'started' && !ours ? 'connected' : from, at: random() };
}

/** Most mail is small; every tenth fills several TLS records and reads. */
function sizes(random: Random, { least, most }: { readonly least: number; readonly most: number }): number[] {
  const count = least + Math.floor(random() * (most - least + 1));
  return Array.from({ length: count }, () =>
    Math.floor(random() < 0.1 ? 20_000 + random() * 200_000 : 300 + random() * 5_000),
  );
}

function chosen<K extends string | number>(random: Random, shares: Readonly<Record<K, number>>): K {
  let rest = random();
  const names = Object.keys(shares) as K[];
  for (const name of names) {
    rest -= shares[name];
    if (rest < 0) return name;
  }
  return names[0]!;
}
