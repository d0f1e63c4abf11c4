/** Walks from the name of the host to the listing, one step after the other. No RETR, no write, one sign-in. */
import { loadHead } from '../mailbox/head.ts';
import { policyAt } from '../mailbox/policy.ts';
import { providerNotes } from '../mailbox/providerOf.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import { recordCount } from '../mailbox/state.ts';
import type { Capabilities, Pop3Client } from '../pop3/client.ts';
import { advice } from './advice.ts';
import { advised } from './advised.ts';
import { capabilitiesInWords, capabilityFacts, listed, listedInWords, tokenInWords } from './checkWords.ts';
import type { InspectOptions } from './inspect.ts';
import { mustTake } from './nameless.ts';
import type { FetchPorts } from './ports.ts';
import { readListing } from './readListing.ts';
import type { Trouble } from './report.ts';
import { greeted, warningsOf } from './session.ts';
import { credentialOf, credentialPlace, signIn } from './signIn.ts';
import { inWords } from './start.ts';
import { tokenFacts, tokenWords } from './tokenFacts.ts';
import { type CheckStep, Walk } from './walk.ts';

export interface CheckReport {
  readonly mailbox: string;
  /** All of them, in order: those that passed, the one that failed, and those that were not reached. */
  readonly steps: readonly CheckStep[];
  readonly notes: readonly string[];
  readonly error: Trouble | null;
}

export interface CheckOptions extends InspectOptions {
  /** Whether the mailbox has a state to be looked at, in the store. */
  readonly state?: boolean;
  readonly onStep?: (step: CheckStep) => void;
}

/** Stops at the first step that fails. Never rejects. */
export async function checkMailbox(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: CheckOptions,
): Promise<CheckReport> {
  const { deadlineMs, state = true } = options;
  const over = new AbortController();
  options.signal?.addEventListener('abort', () => over.abort(), { once: true });
  const walk = new Walk(mailbox.tls, { state, clock: ports.clock, tell: options.onStep });
  const seen: FetchPorts = {
    ...ports,
    observe: (what) => {
      walk.see(what);
      ports.observe?.(what);
    },
  };
  let notes = warningsOf(mailbox);
  let error: Trouble | null = null;
  try {
    const asked = { deadlineMs, signal: over.signal, state };
    notes = [...notes, ...(await walkThrough(mailbox, seen, asked, walk))];
  } catch (cause) {
    const { token, chain } = walk;
    error = advised(cause, mailbox, { nowMs: ports.clock.now(), token, chain });
    walk.failed(error);
  } finally {
    over.abort();
  }
  return { mailbox: mailbox.id, steps: walk.steps, notes: [...providerNotes(mailbox.host), ...notes], error };
}

interface Asked {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly state: boolean;
}

async function walkThrough(
  mailbox: Mailbox,
  ports: FetchPorts,
  asked: Asked,
  walk: Walk,
): Promise<readonly string[]> {
  const client = await greeted(mailbox, ports, asked);
  try {
    walk.reach('capabilities');
    const before = await client.capa();
    walk.passed(capabilitiesInWords(before), capabilityFacts(before));
    await enter(client, mailbox, { ports, capabilities: before, walk });
    // It may change with the sign-in (RFC 2449 section 3).
    const after = await client.capa();
    const policy = policyAt(mailbox, ports.clock.now());
    const { listing, notes, withoutUidl } = await readListing(client, { seed: 0, pipelining: false });
    if (withoutUidl) mustTake(policy, withoutUidl);
    const found = listed(listing);
    walk.passed(listedInWords(found), { ...found });
    if (asked.state) await lookAtState(mailbox, ports, walk);
    await client.quit().catch(() => {
      // Nothing was asked of the session that QUIT would commit.
    });
    return [...notes, ...advice({ mailbox, policy }, listing, after)];
  } finally {
    client.destroy(new Error('The check is over.'));
  }
}

interface Entering {
  readonly ports: FetchPorts;
  readonly capabilities: Capabilities;
  readonly walk: Walk;
}

/** The secret is read once the server is there to take it. */
async function enter(
  client: Pop3Client,
  mailbox: Mailbox,
  { ports, capabilities, walk }: Entering,
): Promise<void> {
  const {
    user,
    signIn: { mechanism, token },
  } = mailbox;
  // A token is had anew only where the last one was refused: each costs a request that providers count.
  const credential = await credentialOf(mailbox, ports, token === undefined);
  const place = credentialPlace(mailbox);
  walk.token = token === undefined || credential === null ? null : tokenFacts(credential.reveal());
  const known = walk.token === null ? [] : [tokenInWords(walk.token, ports.clock.now())];
  walk.passed(place, { place, ...(walk.token && tokenWords(walk.token)) }, known);
  await signIn(client, mailbox, { credential, capabilities, nonce: ports.clock.nonce() });
  walk.passed(`${user}, by ${mechanism}: ${walk.heard}`, { user, mechanism });
}

async function lookAtState({ id, start }: Mailbox, { store }: FetchPorts, walk: Walk): Promise<void> {
  const { version, head } = await loadHead(store, id);
  const records = version === null ? 0 : recordCount(head);
  walk.passed(
    version === null
      ? `no state yet: the first run begins with ${inWords(start)}`
      : `${records} messages on record`,
    { records },
  );
}
