/**
 * A store is trusted by ability: the probe finds out, through the port alone, which of the promises that a
 * deletion rests on it really keeps. Many S3-like stores ignore a condition or accept a wrong checksum, and
 * say nothing.
 *
 * It writes only under `state/_probe/<nonce>/` (no mailbox id begins with "_"), removes what it wrote, and
 * moves about 40 MB, because Complete can only be tried with more than one part.
 */
import { tryAborts, tryChecksums, tryComplete, tryCreate, tryListing, tryReplace } from './abilityTrials.ts';
import { type ObjectStore, StoreError } from './port.ts';

/** What a store can be trusted with; `reasons` tells a person why where the answer is no. */
export interface Abilities {
  /** Of racing creates one wins, and a created object is not replaced. */
  readonly create: boolean;
  /** Of racing replaces one wins, and a stale version never does. */
  readonly replace: boolean;
  /** Completing an upload keeps to the condition as create does. */
  readonly complete: boolean;
  /** Bytes that are not those of their checksum are refused. */
  readonly checksums: boolean;
  /** An upload that is under way or aborted cannot be seen. */
  readonly invisibleAborts: boolean;
  readonly reasons: Readonly<Partial<Record<Ability, string>>>;
}

export type Ability = 'create' | 'replace' | 'complete' | 'checksums' | 'invisibleAborts';

/**
 * Whether messages may be deleted from their server. It takes all of them, however an object was written: where
 * Complete ignores its condition, a large message under a UIDL that is used again replaces the small one that was
 * created before it, and whose mail may be gone.
 */
export function deletesAllowed(abilities: Abilities): boolean {
  const { create, replace, complete, checksums, invisibleAborts } = abilities;
  return create && replace && complete && checksums && invisibleAborts;
}

/**
 * Tries `store`. Rejects with StoreError if it cannot be tried at all: unreachable, denied, full. `random`, in
 * [0, 1), keeps two probes apart.
 */
export async function probe(
  store: ObjectStore,
  clock: { readonly random: () => number },
): Promise<Abilities> {
  const nonce = Math.floor(clock.random() * Number.MAX_SAFE_INTEGER).toString(36);
  const folder = `state/_probe/${nonce}`;
  // Where it cannot be listed, what is written could not be removed, each time anew.
  await ability(() => tryListing(store, `${folder}/`));
  try {
    return summary(await tryAll(store, folder));
  } finally {
    // Whoever may not delete there has found out all the same; else each process would try anew, and leave as much each time.
    await clean(store, folder).catch(unlessOfTheStore);
  }
}

async function tryAll(store: ObjectStore, folder: string): Promise<Record<Ability, string | undefined>> {
  return {
    create: await ability(() => tryCreate(store, `${folder}/create`)),
    replace: await ability(() => tryReplace(store, `${folder}/replace.json`)),
    complete: await ability(() => tryComplete(store, `${folder}/complete`)),
    checksums: await ability(() => tryChecksums(store, `${folder}/checksums`)),
    invisibleAborts: await ability(() => tryAborts(store, `${folder}/aborts`)),
  };
}

async function clean(store: ObjectStore, folder: string): Promise<void> {
  for await (const { key } of store.list(`${folder}/`)) await store.remove(key);
}

function unlessOfTheStore(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

function summary(reasons: Record<Ability, string | undefined>): Abilities {
  const failed = Object.entries(reasons).filter(([, reason]) => reason !== undefined);
  return {
    create: reasons.create === undefined,
    replace: reasons.replace === undefined,
    complete: reasons.complete === undefined,
    checksums: reasons.checksums === undefined,
    invisibleAborts: reasons.invisibleAborts === undefined,
    reasons: Object.fromEntries(failed),
  };
}

/** Undefined if the trial found nothing wrong. A store that says it cannot do it at all lacks the ability. */
async function ability(trial: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await trial();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'E_STORE_UNSUPPORTED') return error.message;
    throw error;
  }
}
