/** What a mailbox's settings say of a message that is listed or stored: pure, and of one instant, since days pass. */
import { providerOf } from './providerOf.ts';
import type { Mailbox } from './settings.ts';
import type { StoredRecord } from './state.ts';

export interface Policy {
  /** How long a message stays on the server after it was stored, in milliseconds; 0: not at all; null: for good. */
  readonly keptMs: number | null;
  /** The instant that all is judged by, epoch milliseconds. */
  readonly nowMs: number;
  /** Whether LIST is only about right: then fewer octets than it announced are no sign of a message cut short. */
  readonly estimated: boolean;
  /**
   * Whether messages without UIDL are taken: kept on the server, each would have to be retrieved at each poll, and
   * nothing could tell those that were there before the start.
   */
  readonly nameless: boolean;
  /** Octets of the largest message that is fetched. */
  readonly sizeLimit: number;
}

const DAY_MS = 24 * 3_600_000;

export function policyAt(mailbox: Mailbox, nowMs: number): Policy {
  return {
    keptMs: keptMsOf(mailbox),
    nowMs,
    estimated: isEstimated(mailbox),
    nameless: mailbox.delete === 'when-stored' && mailbox.start === 'all',
    sizeLimit: mailbox.sizeLimit ?? Number.POSITIVE_INFINITY,
  };
}

function isEstimated({ sizes, host }: Mailbox): boolean {
  return sizes === undefined ? providerOf(host)?.estimates === true : sizes === 'estimated';
}

function keptMsOf({ delete: when }: Mailbox): number | null {
  if (when === 'keep') return null;
  return when === 'when-stored' ? 0 : when.daysAfterStored * DAY_MS;
}

/** Of all settings that decide what there is to do for a listing: equal texts, equal work. */
export function policyText(mailbox: Mailbox): string {
  const { delete: when, attempts, sizeLimit } = mailbox;
  return JSON.stringify([when, attempts, isEstimated(mailbox), sizeLimit ?? null]);
}

/**
 * When what was stored then may be deleted, epoch milliseconds; null: never. Without days to wait it is always due:
 * a clock that was wrong once must not keep it.
 */
export function dueMsOf({ keptMs }: Policy, { storedMs }: Pick<StoredRecord, 'storedMs'>): number | null {
  if (keptMs === null) return null;
  return keptMs === 0 ? Number.NEGATIVE_INFINITY : storedMs + keptMs;
}

export function isDue(policy: Policy, record: Pick<StoredRecord, 'storedMs'>): boolean {
  const dueMs = dueMsOf(policy, record);
  return dueMs !== null && dueMs <= policy.nowMs;
}

/**
 * Whether the server delivered fewer octets than it announced or lost dots, or announced none to compare with. Where sizes are
 * estimates, the final dot and the fence behind it are what proves a message whole.
 */
export function isShort(
  { estimated }: Policy,
  { size, octets, unstuffed }: Pick<StoredRecord, 'size' | 'octets' | 'unstuffed'>,
): boolean {
  return size === null || unstuffed === true || (!estimated && octets < size);
}

/** Whether the policy wants it gone, once all that the DELE rule asks for is shown. */
export function isDeletable(policy: Policy, record: StoredRecord): boolean {
  return !isShort(policy, record) && isDue(policy, record);
}
