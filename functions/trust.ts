import { z } from 'zod';
import type { StoreTrust } from '../lib/fetch/ports.ts';
import { type Abilities, deletesAllowed, probe } from '../lib/store/abilities.ts';
import type { ObjectStore, Version } from '../lib/store/port.ts';
import { readJson } from './readJson.ts';

/**
 * Whether the store may be trusted with deletions. The probe moves 40 MB, so its result is kept in the store
 * itself, for everybody who uses it: a function that starts each minute must not probe each time.
 */

/** No mailbox id begins with "_". */
export const ABILITIES_KEY = 'state/_abilities.json';

const HOUR_MS = 3_600_000;

/** A store changes its abilities with its version, and that is rare. */
const GOOD_FOR_MS = 7 * 24 * HOUR_MS;

/** Somebody may be repairing it, and wants to see that it helped. */
const BAD_FOR_MS = HOUR_MS;

/** The document is a few hundred bytes; more is not ours. */
const MAX_DOCUMENT_BYTES = 64 * 1024;

const document = z.strictObject({
  v: z.literal(1),
  /** What was probed: the same bucket's name behind another endpoint is another store. */
  place: z.string(),
  endpoint: z.string().nullable(),
  abilities: z.strictObject({
    create: z.boolean(),
    replace: z.boolean(),
    complete: z.boolean(),
    checksums: z.boolean(),
    invisibleAborts: z.boolean(),
    reasons: z.record(z.string(), z.string()),
  }),
  probedAtMs: z.int(),
});

type Kept = z.infer<typeof document>;

export interface TrustOptions {
  /** Absent: AWS, or a folder. */
  readonly endpoint?: string | undefined;
  readonly clock: { now(): number; random(): number };
}

/**
 * Probes at most once while the result is good; what rejected is tried again at the next call. A process that lives for
 * weeks asks the store anew each hour, so that it sees a store that was mended, and one that is no longer what it was.
 */
export function storeTrust(store: ObjectStore, options: TrustOptions): () => Promise<StoreTrust> {
  let known: { readonly trust: Promise<StoreTrust>; readonly askedMs: number } | undefined;
  return () => {
    const nowMs = options.clock.now();
    if (known === undefined || nowMs - known.askedMs >= HOUR_MS) {
      known = { trust: abilitiesOf(store, options).then(trustIn), askedMs: nowMs };
      known.trust.catch(() => {
        known = undefined;
      });
    }
    return known.trust;
  };
}

function trustIn(abilities: Abilities): StoreTrust {
  return {
    deletes: deletesAllowed(abilities),
    reason: Object.values(abilities.reasons).join(' '),
  };
}

async function abilitiesOf(store: ObjectStore, { endpoint, clock }: TrustOptions): Promise<Abilities> {
  const place = 'bucket' in store.place ? store.place.bucket : store.place.folder;
  const { kept, version } = await readKept(store);
  const same = kept !== null && kept.place === place && kept.endpoint === (endpoint ?? null);
  if (same && isFresh(kept, clock.now())) return kept.abilities;
  const abilities = await probe(store, clock);
  const next: Kept = {
    v: 1,
    place,
    endpoint: endpoint ?? null,
    abilities: { ...abilities, reasons: { ...abilities.reasons } as Record<string, string> },
    probedAtMs: clock.now(),
  };
  // Not kept is only slower: the next process probes again. Somebody else's result is as good as ours.
  await store.replace(ABILITIES_KEY, Buffer.from(JSON.stringify(next)), version).catch(() => {});
  return abilities;
}

function isFresh({ abilities, probedAtMs }: Kept, nowMs: number): boolean {
  const ageMs = nowMs - probedAtMs;
  const good = deletesAllowed(abilities);
  return ageMs >= 0 && ageMs < (good ? GOOD_FOR_MS : BAD_FOR_MS);
}

/** What cannot be read as ours is replaced. */
async function readKept(store: ObjectStore): Promise<{ kept: Kept | null; version: Version | null }> {
  const read = await readJson(store, ABILITIES_KEY, MAX_DOCUMENT_BYTES);
  if (read === null) return { kept: null, version: null };
  const parsed = document.safeParse(read.value);
  return { kept: parsed.success ? parsed.data : null, version: read.version };
}
