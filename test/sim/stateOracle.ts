/**
 * The state as an outsider reads it, at each commit: in order, in one piece, true of what was stored and announced,
 * and forgetting nothing before its time.
 */
import { gunzipSync } from 'node:zlib';
import { VANISHED_KEPT_MS } from '../../lib/mailbox/bounds.ts';
import { type Head, type StoredRecord, segmentsOf } from '../../lib/mailbox/state.ts';
import { checkFailures, checkIntents } from './intentOracle.ts';
import type { Ledger } from './ledger.ts';
import { checkStart } from './policyOracle.ts';
import { checkNews } from './waitOracle.ts';

/** A state was committed. */
export function checkState(body: Buffer, ledger: Ledger) {
  ledger.counts.stateWrites += 1;
  let head: Head;
  try {
    head = JSON.parse(body.toString('utf8')) as Head;
  } catch {
    return ledger.fail('I6 state', 'it is not JSON');
  }
  const { head: before } = ledger;
  const revision = before?.revision ?? 0;
  if (head.revision !== revision + 1) ledger.fail('I6 state', `revision ${head.revision} after ${revision}`);
  if (!head.nonce || ledger.nonces.has(head.nonce))
    ledger.fail('I6 state', `its nonce is not new: ${head.nonce}`);
  ledger.nonces.add(head.nonce);
  checkRecords(head, ledger);
  checkStart(head, ledger);
  if (before !== null) checkIntents(before, head, ledger);
  checkFailures(before, head, ledger);
  checkNews(before, head, ledger);
  ledger.head = head;
}

function checkRecords(head: Head, ledger: Ledger): void {
  const pairs = new Set<string>();
  for (const record of head.records) pairs.add(checkRecord(record, ledger));
  for (const { name } of head.segments) checkSegment(name, ledger);
  for (const [pair, record] of ledger.recorded) {
    if (pairs.has(pair) || head.segments.some(({ name }) => ledger.segments.get(name)?.has(pair))) continue;
    checkForgotten(pair, record, ledger);
  }
}

/** Its pair. */
function checkRecord(record: StoredRecord, ledger: Ledger): string {
  const { uidl, sha256, under } = record;
  const pair = ledger.pairOf(uidl, sha256);
  const before = ledger.recorded.get(pair);
  ledger.recorded.set(pair, record);
  if (record.goneMs !== undefined && before?.goneMs === undefined) checkMissed(record, ledger);
  if (before !== undefined) return pair;
  if (under !== undefined) checkRenamed({ uidl, sha256, under }, ledger);
  if (!ledger.isStored(pair) && !ledger.isOverwritten(pair))
    ledger.fail('I6 record', `${uidl} is on record and not stored`);
  if (!ledger.isAnnounced(pair)) ledger.fail('I6 record', `${uidl} is on record and not announced`);
  return pair;
}

/** It stands for a message with the very same bytes that was stored under another UIDL, which its writer saw listed no more. */
function checkRenamed(
  { uidl, sha256, under }: { uidl: string; sha256: string; under: string },
  ledger: Ledger,
) {
  const [now, before] = [ledger.messageOf({ uidl, sha256 }), ledger.messageOf({ uidl: under, sha256 })];
  if (!now || !before) return ledger.fail('I6 renamed', `${uidl} is not what ${under} was`);
  // A number may well be its twin's by now, which is the same mail to anybody.
  if (
    !/^\d+$/.test(under) &&
    ledger.writer?.listed.some((slot) => slot.uidl === under && slot.message.sha256 === sha256)
  )
    ledger.fail('I6 renamed', `${uidl} stands for ${under}, which is listed still`);
  ledger.renamed.set(ledger.pairOf(uidl, sha256), ledger.pairOf(under, sha256));
}

/** Noted as missing, which is by a listing. */
function checkMissed({ uidl, size }: StoredRecord, ledger: Ledger): void {
  const listed = ledger.writer?.listed ?? [];
  if (listed.some((slot) => slot.uidl === uidl && slot.announced === size))
    ledger.fail('I6 record', `${uidl} is noted as missing, and was listed`);
}

/**
 * Records go when each sweep has missed their message for weeks, whatever was listed between two of them; a clock that
 * jumped may take a moment for weeks.
 */
function checkForgotten(
  pair: string,
  { goneMs = Number.POSITIVE_INFINITY }: StoredRecord,
  ledger: Ledger,
): void {
  ledger.recorded.delete(pair);
  const missingMs = Math.min(goneMs, ledger.goneMs.get(pair) ?? Number.POSITIVE_INFINITY);
  const weeks = ledger.nowMs() - missingMs >= VANISHED_KEPT_MS;
  if (!weeks && !ledger.clocksJumped) ledger.fail('I6 record', `that of ${pair} vanished from the state`);
}

/** A head never names a segment that is not there, and what is in it counts as the head's own word. */
function checkSegment(name: string, ledger: Ledger) {
  const held = ledger.bucket?.objects.get(segmentKey(name, ledger));
  if (held === undefined) return ledger.fail('I6 segment', `${name} is named by the head, and is not there`);
  if (ledger.segments.has(name)) return;
  const [, ...lines] = gunzipSync(held.body).toString('utf8').trim().split('\n');
  const pairs = lines.map((line) => checkRecord(JSON.parse(line) as StoredRecord, ledger));
  ledger.segments.set(name, new Set(pairs));
}

export function segmentRemoved(key: string, ledger: Ledger): void {
  for (const { name } of ledger.head === null ? [] : segmentsOf(ledger.head)) {
    if (key === segmentKey(name, ledger))
      ledger.fail('I6 segment', `${name} was removed while the head names it`);
  }
}

function segmentKey(name: string, { terms }: Ledger): string {
  return `state/${terms.mailbox}/${name}.ndjson.gz`;
}
