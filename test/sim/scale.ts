/** The engine's bounds, scaled down so that histories of a few small messages cross all of them. Constants, no logic. */
import { readFileSync } from 'node:fs';
import type { Patch } from '../patches/patches.ts';

const root = new URL('../../', import.meta.url);

/** Whatever the constant is now. A patch of one that is gone fits nothing, which is told when it is applied. */
function constant(file: string, name: string, to: number): Patch {
  const found = new RegExp(`\\b${name}( =|:) [^;,]+[;,]`).exec(readFileSync(new URL(file, root), 'utf8'));
  const find = found?.[0] ?? `${name} = `;
  return { file, find, replace: `${name}${found?.[1]} ${to}${find.at(-1)}` };
}

export const SCALED: readonly Patch[] = [
  constant('lib/store/port.ts', 'PART_BYTES', 256),
  constant('lib/fetch/window.ts', 'WINDOW_MESSAGES', 2),
  constant('lib/fetch/window.ts', 'WINDOW_BYTES', 1_200),
  constant('lib/fetch/transfer.ts', 'BATCH_MESSAGES', 3),
  constant('lib/fetch/transfer.ts', 'BATCH_BYTES', 4_000),
  // Of a state: a handful of records fills a head, and a handful of segments is merged.
  constant('lib/mailbox/bounds.ts', 'OPEN_INTENTS', 8),
  constant('lib/mailbox/bounds.ts', 'INTENTS_BYTES', 2_000),
  constant('lib/mailbox/bounds.ts', 'FAILURES_BYTES', 12_000),
  constant('lib/mailbox/bounds.ts', 'RECORDS_BYTES', 1_000),
  constant('lib/mailbox/bounds.ts', 'SEGMENT_RECORDS', 12),
  constant('lib/mailbox/bounds.ts', 'SWEEP_MS', 600_000),
  // Beyond any run with the latest of its writes; and records beyond the longest time that a listing is wrong.
  constant('lib/mailbox/bounds.ts', 'UNNAMED_KEPT_MS', 3 * 3_600_000),
  constant('lib/mailbox/bounds.ts', 'VANISHED_KEPT_MS', 40 * 3_600_000),
  constant('lib/fetch/known.ts', 'RECORDS_AT_HAND', 2),
  constant('lib/fetch/reopening.ts', 'SESSION_DELETES', 3),
  // Buffers of each connection: thousands of connections a second are made here.
  constant('lib/pop3/limits.ts', 'statusLineBytes', 1_024),
  constant('lib/pop3/limits.ts', 'capabilityBytes', 1_024),
];
