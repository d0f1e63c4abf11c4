/**
 * Deletes that have no effect. QUIRK: some servers say +OK to DELE and to QUIT and keep the mail (GMX, settings at other
 * providers). Asked for at each run, all of it would cost its round trips for ever and nobody would be told.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Head } from './state.ts';

export interface Unheeded {
  /** In a row, whose deletes the next listing showed to be without effect. */
  readonly runs: number;
  /** When the last QUIT behind deletes was answered. */
  readonly atMs: number;
  /** Some of what was deleted then; none once a listing has been held against it. */
  readonly sample: readonly Sampled[];
}

/** Rows of one UIDL and LIST size, of which some were deleted. */
export interface Sampled {
  readonly uidl: string;
  readonly size: number | null;
  /** How many were listed before. */
  readonly rows: number;
}

/** Servers expunge late, too: one listing that has them still proves nothing. */
const UNHEEDED_RUNS = 3;
const ASKED_AGAIN_MS = 24 * 3_600_000;
export const SAMPLED = 4;

/** What is known once a listing has `rowsOf` each. The head that it is held against was read before. */
export function heldAgainst({ unheeded }: Head, rowsOf: (one: Sampled) => number): Unheeded | undefined {
  if (unheeded === undefined || unheeded.sample.length === 0) return unheeded;
  const ignored = unheeded.sample.every((one) => rowsOf(one) >= one.rows);
  return ignored ? { ...unheeded, runs: unheeded.runs + 1, sample: [] } : undefined;
}

export function isIgnored(unheeded: Unheeded | undefined): unheeded is Unheeded {
  return unheeded !== undefined && unheeded.runs >= UNHEEDED_RUNS;
}

/** Until when none is asked for; null: they are. A clock that was wrong once must not put it off for long. */
export function pausedUntilMs(unheeded: Unheeded | undefined, nowMs: number): number | null {
  if (!isIgnored(unheeded) || unheeded.atMs > nowMs) return null;
  const untilMs = unheeded.atMs + ASKED_AGAIN_MS;
  return nowMs < untilMs ? untilMs : null;
}

export interface Deleted {
  readonly sample: readonly Sampled[];
  readonly nowMs: number;
}

/** After a run that deleted what `sample` is of, or nothing. */
export function afterDeletes(held: Unheeded | undefined, { sample, nowMs }: Deleted): Unheeded | undefined {
  if (sample.length > 0) return { runs: held?.runs ?? 0, atMs: nowMs, sample };
  // There was nothing left to ask for.
  return isIgnored(held) && pausedUntilMs(held, nowMs) === null ? undefined : held;
}

/** What another run has written since `before` was read is newer. */
export function withUnheeded(
  head: Head,
  { before, after }: { readonly before: Unheeded | undefined; readonly after: Unheeded | undefined },
): Head {
  if (!isDeepStrictEqual(head.unheeded, before)) return head;
  const { unheeded: _, ...rest } = head;
  return after === undefined ? rest : { ...rest, unheeded: after };
}
