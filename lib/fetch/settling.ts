/** Announce, then commit: what the bus accepted goes on record, in one write with the next batch's intents. */
import type { MailferryEvent } from '../events/shapes.ts';
import { summarize } from '../mail/headers.ts';
import { forgetFailures } from '../mailbox/failures.ts';
import { strikeIntents, withIntents, withoutContents } from '../mailbox/intents.ts';
import { eventId } from '../mailbox/names.ts';
import { isShort, policyAt } from '../mailbox/policy.ts';
import { recordKey, withRecords } from '../mailbox/records.ts';
import { type Intent, type MessageRef, refKey, type StoredRecord } from '../mailbox/state.ts';
import { forgetTooLarge } from '../mailbox/tooLarge.ts';
import { keepMissing, type RunContext, resolved } from './runContext.ts';
import type { Session } from './session.ts';
import { keyOfRecord, type Missing, type Stored } from './storing.ts';
import { EventRefused } from './trouble.ts';
import type { Wanted } from './window.ts';

export interface Settlement {
  /** On record as announced. */
  readonly settled: readonly Stored[];
  readonly refused: readonly { readonly stored: Stored; readonly error: EventRefused }[];
}

/** One event per message that is not announced yet, each answer looked at. Rejects with PublisherError. */
export async function announce(context: RunContext, stored: readonly Stored[]): Promise<Settlement> {
  // Twins of the very same bytes are one object, and one event.
  const fresh = new Map<string, Stored>();
  for (const one of stored) if (!one.announced) fresh.set(eventIdOf(context, one.record), one);
  const events = [...fresh.values()].map(({ record, header }) =>
    storedEvent(context, record, context.mailbox.headerSummary ? header : null),
  );
  const answers = events.length === 0 ? [] : await context.ports.publisher.publish(events);
  const errors = new Map<string, EventRefused>();
  for (const [index, id] of [...fresh.keys()].entries()) {
    const answer = answers[index];
    if (answer?.accepted !== true)
      errors.set(id, new EventRefused(answer?.reason ?? 'no answer came for it'));
  }
  const settled: Stored[] = [];
  const refused: { stored: Stored; error: EventRefused }[] = [];
  for (const one of stored) {
    const error = one.announced ? undefined : errors.get(eventIdOf(context, one.record));
    if (error === undefined) settled.push(one);
    else refused.push({ stored: one, error });
  }
  return { settled, refused };
}

function eventIdOf({ mailbox }: Pick<RunContext, 'mailbox'>, { uidl, sha256 }: StoredRecord): string {
  return eventId(mailbox.id, uidl, sha256);
}

/** `header` null: without a summary, since the mailbox wants none or making one may be what ends the process. */
export function storedEvent(
  context: Pick<RunContext, 'mailbox' | 'ports'>,
  record: StoredRecord,
  header: Buffer | null,
): MailferryEvent {
  const { id } = context.mailbox;
  return {
    detailType: 'Message Stored',
    detail: {
      v: 1,
      id: eventIdOf(context, record),
      mailbox: id,
      uidl: record.uidl,
      ...context.ports.store.place,
      key: keyOfRecord(id, record),
      size: record.octets,
      sha256: record.sha256,
      announcedSize: record.size,
      short: record.size !== null && isShort(policyAt(context.mailbox, record.storedMs), record),
      storedAt: new Date(record.storedMs).toISOString(),
      headers: header === null ? null : summarize(header),
    },
  };
}

export interface Commit {
  /** On record as announced from now on. */
  readonly settled: readonly Stored[];
  /** Of those, the messages whose intents are done with; the others stay open. */
  readonly resolved: readonly MessageRef[];
  /** Whose intents. */
  readonly runs: ReadonlySet<string>;
  /** What is tried next. */
  readonly next: readonly Wanted[];
}

/** The commit that follows: records, struck intents, forgotten failures, and what is tried next. */
export async function commitSettled(context: RunContext, session: Session, commit: Commit): Promise<void> {
  const { settled, resolved: refs, runs, next } = commit;
  const records = withRowCounts(session, settled);
  const intents = next.map(({ ref }) => intentOf(context, ref));
  const stored = new Set(settled.map(({ wanted }) => refKey(wanted.ref)));
  const isStored = (ref: MessageRef) => stored.has(refKey(ref));
  await context.state.commit((head) => {
    const recorded = withoutContents(withRecords(head, records), context.run, records);
    const struck = strikeIntents(recorded, refs, runs);
    return withIntents(forgetTooLarge(forgetFailures(struck, refs), isStored), intents);
  });
  noteSettled(session, settled);
  for (const ref of refs) resolved(context, ref);
  for (const { wanted, announced } of settled) if (!announced) context.tally.stored.add(wanted.ref);
}

/** What they are listed as now goes on record all the same, or they would be retrieved at each poll. */
export async function settleMissing(
  context: RunContext,
  session: Session,
  missing: readonly Missing[],
): Promise<void> {
  if (missing.length === 0) return;
  const records = withRowCounts(session, missing);
  await context.state.commit((head) => withRecords(head, records));
  noteSettled(session, missing);
  for (const { wanted } of missing) {
    keepMissing(context, wanted.ref);
    session.inDoubt.delete(wanted.row.index);
  }
}

/** Of those without UIDL: by TOP they would get another ref now than they were tried by. */
function noteSettled(session: Session, settled: readonly Pick<Stored, 'wanted'>[]): void {
  for (const { wanted } of settled) if (wanted.row.uidl === '') session.settled.add(wanted.row.index);
}

/**
 * Whether the first key of a message that had to go beside it holds what no record knows: an earlier attempt's
 * bytes, which nobody has announced and only an open intent leads to.
 */
export function hidesAnother({ known }: Session, { record }: Stored, beside: readonly Stored[]): boolean {
  // Without UIDL there is no first key.
  if (record.byContent !== true || record.uidl === '') return false;
  const ofBatch = beside.filter((one) => one.record.uidl === record.uidl).map((one) => one.record);
  return ![...known.records(record), ...ofBatch].some(({ byContent }) => byContent !== true);
}

export function intentOf({ run, deadline }: RunContext, ref: MessageRef): Intent {
  return { ...ref, run, untilMs: deadline.endMs };
}

/** Twins of the very same bytes share one object and one record, which then stands for so many rows. */
function withRowCounts(
  { alike }: Session,
  settled: readonly Pick<Stored, 'wanted' | 'record'>[],
): StoredRecord[] {
  for (const { wanted, record } of settled) {
    if (!wanted.row.repeated) continue;
    const key = recordKey(record);
    alike.set(key, (alike.get(key) ?? new Set()).add(wanted.row.index));
  }
  return settled.map(({ record }) => {
    const rows = alike.get(recordKey(record))?.size ?? 1;
    return rows > 1 ? { ...record, rows } : record;
  });
}
