/**
 * Messages without UIDL: of a server that has none, or that leaves some out. Content alone tells them apart, so they
 * are taken only where they are deleted once they are stored, one at a time, and only by branch A.
 */
import { isShort, type Policy } from '../mailbox/policy.ts';
import type { MessageRef, StoredRecord } from '../mailbox/state.ts';
import type { StateFile } from '../mailbox/stateFile.ts';
import type { Capabilities } from '../pop3/capabilities.ts';
import type { Pop3Client } from '../pop3/client.ts';
import { Pop3Error } from '../pop3/errors.ts';
import { unlessRefused } from './readListing.ts';
import { Unvouched } from './trouble.ts';

/** How soon a message that is stored and still there is retrieved again: who ignores or refuses DELE does so for long. */
const RETRIEVED_AGAIN_MS = 24 * 3_600_000;

/** Whether there is no use in retrieving it now, provided that the listed message is the one on record. */
export function isSettled(policy: Policy, record: StoredRecord): boolean {
  const sinceMs = policy.nowMs - Math.max(record.storedMs, record.retrievedMs ?? 0);
  return isShort(policy, record) || (sinceMs >= 0 && sinceMs < RETRIEVED_AGAIN_MS);
}

/** A server that announces nothing may have answered so by accident, so that UIDL is asked so often again. */
const ASKED_AGAIN = 2;

export interface Asked {
  readonly client: Pop3Client;
  readonly capabilities: Capabilities;
  readonly state: StateFile;
}

export interface Refusal extends Asked {
  readonly withoutUidl: Pop3Error;
}

/** Rejects with Unvouched where a server that refused UIDL cannot be served. */
export async function mustBeServed(policy: Policy, refusal: Refusal): Promise<void> {
  const { client, withoutUidl, capabilities, state } = refusal;
  for (let times = 0; !capabilities.announced && times < ASKED_AGAIN; times += 1)
    if ((await namedBy(client)) !== null)
      throw unserved(
        withoutUidl,
        'refused UIDL, and answers it by now. Nothing was retrieved; the next run asks again.',
      );
  if (capabilities.has('UIDL'))
    throw unserved(
      withoutUidl,
      'refuses UIDL, though it announces it. Nothing was retrieved; the next run asks again.',
    );
  if (await hasUidls(state))
    throw unserved(
      withoutUidl,
      'refuses UIDL, and gave it to earlier runs: all its mail would count as new. Look for a proxy in between; if the server has no UIDL any more, give the mailbox another id.',
    );
  mustTake(policy, withoutUidl);
}

/**
 * Rejects with Unvouched where no message of a server that has UIDLs, or had them, has one now. QUIRK: an empty answer is
 * a server's bad hour.
 */
export async function mustBeNamed({ client, capabilities, state }: Asked): Promise<void> {
  if (await hasUidls(state)) throw unnamed('and gave UIDLs to earlier runs: all its mail would count as new');
  if (capabilities.has('UIDL')) throw unnamed('though it announces UIDL');
  for (let times = 0; times < ASKED_AGAIN; times += 1)
    if ((await namedBy(client)) !== 0) throw unnamed('and answers otherwise by now');
}

function unnamed(why: string): Unvouched {
  return new Unvouched(
    `the server answered UIDL with an empty list, lists messages all the same, ${why}. Nothing was retrieved; the next run asks again. If the server has no UIDL any more, give the mailbox another id.`,
    'server',
  );
}

/** How many messages UIDL names by now; null: it is refused. */
async function namedBy(client: Pop3Client): Promise<number | null> {
  const answer = await client.uidl(() => {}).catch(unlessRefused);
  return answer instanceof Pop3Error ? null : answer.rows;
}

/** Throws Unvouched where the policy leaves mail on a server that refused UIDL. */
export function mustTake(policy: Policy, withoutUidl: Pop3Error): void {
  if (policy.nameless) return;
  throw unserved(
    withoutUidl,
    'has no UIDL, so only their content tells its messages apart. Such mail is fetched where it is deleted once it is stored: set delete to when-stored and start to all, or take the mailbox out.',
  );
}

function unserved(cause: Pop3Error, words: string): Unvouched {
  return new Unvouched(`the server ${words} It said: ${cause.reply ?? 'nothing'}`, 'server', { cause });
}

async function hasUidls(state: StateFile): Promise<boolean> {
  const isNamed = ({ uidl }: MessageRef) => uidl !== '';
  const { records, intents } = state.head;
  let seen = records.some(isNamed) || intents.some(isNamed);
  if (seen) return true;
  await state.eachSegment((older) => {
    for (const record of older) seen ||= isNamed(record);
    return seen ? 'enough' : undefined;
  });
  return seen;
}
