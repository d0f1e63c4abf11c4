/**
 * The documents of a mailbox's state, as they must be to be trusted: a DELE may rest on what they say, so that
 * one with anything amiss is refused as a whole. Their fields are told in state.ts.
 */
import { z } from 'zod';
import { PACES } from './backOff.ts';
import { type Head, type Seed, STATE_VERSION, type StoredRecord } from './state.ts';

const count = z.int().min(0);
const instantMs = z.number();
/** Bytes, one per character; another character would count for the message of another UIDL. */
const uidl = z.string().regex(/^[\0-\xff]*$/);
const ref = { uidl, size: z.number().nullable(), headerHash: z.string().nullable() };

const record = z.strictObject({
  uidl,
  size: z.number().nullable(),
  headerHash: z.string().regex(/^[0-9a-f]{32}$/),
  topHashes: z.array(z.string()).optional(),
  octets: count,
  unstuffed: z.literal(true).optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  composite: z.string().optional(),
  byContent: z.literal(true).optional(),
  under: uidl.optional(),
  storedMs: instantMs,
  retrievedMs: instantMs.optional(),
  rows: count.optional(),
  goneMs: instantMs.optional(),
});

const seed = z.strictObject({
  uidl,
  size: z.number().nullable(),
  rows: count.optional(),
  goneMs: instantMs.optional(),
});

const marks = z.array(z.string().regex(/^[0-9a-f]{32}$/));

const intent = z.strictObject({
  ...ref,
  run: z.string(),
  untilMs: instantMs,
  blind: z.literal(true).optional(),
  lookedMs: instantMs.optional(),
  /** They become a part of a key. */
  contents: marks.optional(),
  unstuffed: marks.optional(),
});

const failure = z.strictObject({
  ...ref,
  attempts: z.int(),
  lastRun: z.string().nullable(),
  code: z.string(),
  message: z.string(),
  firstMs: instantMs,
  setAsideMs: instantMs.nullable(),
  reported: z.boolean(),
  retryMs: instantMs,
});

const tooLarge = z.strictObject({ ...ref, atLeast: count, sinceMs: instantMs, reported: z.boolean() });

const backOff = z.strictObject({
  failures: count,
  sinceMs: instantMs,
  untilMs: instantMs,
  code: z.string(),
  message: z.string(),
  phase: z.string().optional(),
  kind: z.enum(['later', 'person']).optional(),
  pace: z.enum(PACES).optional(),
  ofPace: count.optional(),
  refusals: count.optional(),
  settings: z.string().optional(),
  secretMark: z.string().optional(),
  renewals: count.optional(),
  askedMs: instantMs.optional(),
  told: z.enum(['due', 'accepted']).optional(),
  diagnosis: z
    .strictObject({
      step: z.string(),
      says: z.string(),
      next: z.string(),
      facts: z.record(z.string(), z.string()),
    })
    .optional(),
});

const segment = z.strictObject({
  /** It becomes a part of a key. */
  name: z.string().regex(/^\d{1,16}-[0-9a-z]{1,64}$/),
  records: count,
  bytes: count,
});

const head = z.strictObject({
  v: z.literal(STATE_VERSION),
  mailbox: z.string(),
  revision: count,
  nonce: z.string(),
  lastAttemptMs: instantMs,
  lastSuccessMs: instantMs,
  backOff: backOff.nullable(),
  recovered: z.strictObject({ sinceMs: instantMs, atMs: instantMs }).optional(),
  signedIn: z.strictObject({ atMs: instantMs, delayMs: count }).optional(),
  singlySinceMs: instantMs.nullable(),
  oddForms: z.strictObject({ UIDL: instantMs.optional(), LIST: instantMs.optional() }).optional(),
  movedBy: z.string().optional(),
  capaLostMs: instantMs.optional(),
  unheeded: z
    .strictObject({
      runs: count,
      atMs: instantMs,
      sample: z.array(z.strictObject({ uidl, size: z.number().nullable(), rows: count })),
    })
    .optional(),
  sweptMs: instantMs.nullable(),
  start: z.strictObject({ choice: z.string(), atMs: instantMs, seeds: z.array(segment) }).optional(),
  intents: z.array(intent),
  failures: z.array(failure),
  tooLarge: z.array(tooLarge).optional(),
  records: z.array(record),
  segments: z.array(segment),
  quiet: z
    .strictObject({ digest: z.string(), dueMs: instantMs.optional(), skipped: count.optional() })
    .nullable(),
});

/** The value, or what is wrong with it in one line. */
export type Read<T> = { readonly value: T } | { readonly wrong: string };

export function readHead(value: unknown): Read<Head> {
  return read<Head>(head, value);
}

export function readRecord(value: unknown): Read<StoredRecord> {
  return read<StoredRecord>(record, value);
}

export function readSeed(value: unknown): Read<Seed> {
  return read<Seed>(seed, value);
}

/** Optional fields are absent or right, never undefined: the values come from JSON. */
function read<T>(shape: z.ZodType, value: unknown): Read<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return { value: value as T };
  const [issue] = parsed.error.issues;
  return { wrong: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not of its shape'}` };
}
