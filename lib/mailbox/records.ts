/** Messages on record: pure changes of a head, and of a record. */
import type { Head, MessageRef, StoredRecord } from './state.ts';

/** By UIDL and content; a record that is there already keeps its date, and learns the size it is listed with. */
export function withRecords(head: Head, records: readonly StoredRecord[]): Head {
  if (records.length === 0) return head;
  const byContent = new Map(head.records.map((record) => [recordKey(record), record]));
  for (const record of records) {
    const known = byContent.get(recordKey(record));
    byContent.set(recordKey(record), known ? refreshed(known, record) : record);
  }
  return { ...head, records: [...byContent.values()] };
}

/** Twins of the same bytes, each with headers of its own by TOP, are few; a server may show others each time. */
const TOP_HASHES = 16;

/** What both know of one content, but for the size, which is the later's. */
export function refreshed(known: StoredRecord, seen: StoredRecord): StoredRecord {
  const rows = Math.max(known.rows ?? 1, seen.rows ?? 1);
  const topHashes = [...new Set([...(known.topHashes ?? []), ...(seen.topHashes ?? [])])].slice(-TOP_HASHES);
  const retrievedMs = Math.max(known.retrievedMs ?? 0, seen.retrievedMs ?? 0);
  return {
    ...known,
    size: seen.size,
    ...(rows > 1 ? { rows } : {}),
    ...(retrievedMs > 0 ? { retrievedMs } : {}),
    ...(topHashes.length > 0 ? { topHashes } : {}),
  };
}

/** What makes a record one: UIDL and content. */
export function recordKey({ uidl, sha256 }: StoredRecord): string {
  return `${sha256} ${uidl}`;
}

/** Whether the record is of the message that the ref tells from others. */
export function isRecordOf(record: StoredRecord, { uidl, size, headerHash }: MessageRef): boolean {
  if (record.uidl !== uidl || record.size !== size) return false;
  return (
    headerHash === null || record.headerHash === headerHash || record.topHashes?.includes(headerHash) === true
  );
}
