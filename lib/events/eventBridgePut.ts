/** PutEvents, whose success is a list of small successes and failures. */
import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { type Entry, MAX_BATCH_BYTES } from './eventBridgeEntries.ts';
import { type CallFailure, callFailure, printable } from './eventBridgeErrors.ts';
import type { Published, PublisherError } from './port.ts';

export interface PutOptions {
  readonly client: EventBridgeClient;
  readonly bus: string;
  /** Calls for one batch at most; those after the first carry only what was not accepted. */
  readonly tries: number;
  /** Waits before the next try, `tries` being those made. */
  readonly backOff: (tries: number) => Promise<void>;
  /** One call, its answer's body included. */
  readonly callMs: number;
  /** Ends everything. */
  readonly abortSignal: AbortSignal;
}

/** The handler's own timeout ends with the head of an answer: a body that stalls is cut by this. */
export function callOptions({ callMs, abortSignal }: PutOptions): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.any([abortSignal, AbortSignal.timeout(callMs)]) };
}

export type Verdict =
  | 'accepted'
  | {
      readonly reason: string;
      readonly again: boolean;
      /** The call itself failed, which says nothing of the event. */
      readonly failure?: PublisherError;
    };

export interface Item {
  readonly entry: Entry;
  /** As of the last call that the entry was in. */
  verdict: Verdict;
}

/** Codes of an entry's refusal that no repeat changes. Any other, known or not, is tried again. */
const LASTING =
  /^(InvalidArgument|MalformedDetail|InvalidAccountId\w*|NotAuthorizedFor\w*|RedactionFailure)$/;

export function newItem(entry: Entry): Item {
  const reason = `the event has ${entry.bytes} octets, EventBridge takes ${MAX_BATCH_BYTES}`;
  return { entry, verdict: { reason, again: false } };
}

/** Sends a batch until every entry is accepted or refused for good, or a bound is reached. Never rejects. */
export async function settle(batch: readonly Item[], options: PutOptions): Promise<void> {
  let open = batch;
  for (let tries = 1; ; tries += 1) {
    await put(open, options);
    open = open.filter(({ verdict }) => verdict !== 'accepted' && verdict.again);
    if (open.length === 0 || tries >= options.tries || options.abortSignal.aborted) return;
    await options.backOff(tries);
  }
}

/** One result per item. Throws the call's failure if that is all that is known of every one. */
export function results(items: readonly Item[]): readonly Published[] {
  const failures = items.flatMap(({ verdict }) => failureIn(verdict) ?? []);
  if (failures[0] && failures.length === items.length) throw failures[0];
  return items.map(({ verdict }) =>
    verdict === 'accepted' ? { accepted: true } : { accepted: false, reason: verdict.reason },
  );
}

export function failureIn(verdict: Verdict): PublisherError | undefined {
  return verdict === 'accepted' ? undefined : verdict.failure;
}

async function put(items: readonly Item[], options: PutOptions): Promise<void> {
  const { client, bus } = options;
  try {
    const command = new PutEventsCommand({ Entries: items.map(({ entry }) => entry.request) });
    const { Entries = [] } = await client.send(command, callOptions(options));
    // The answer is in the order of the request. What it does not speak of was not accepted.
    for (const [index, item] of items.entries()) item.verdict = readEntry(Entries[index]);
  } catch (error) {
    const failure = callFailure(error, `PutEvents on ${bus}`);
    if (failure.class === 'entries' && items.length > 1) {
      const half = Math.ceil(items.length / 2);
      await put(items.slice(0, half), options);
      await put(items.slice(half), options);
    } else for (const item of items) item.verdict = readFailure(failure);
  }
}

/** Success is an EventId and no ErrorCode; a 200 may hold neither. */
function readEntry(answer: PutEventsResultEntry | undefined): Verdict {
  if (answer === undefined) return { reason: 'EventBridge did not answer for this entry', again: true };
  const { EventId, ErrorCode, ErrorMessage } = answer;
  if (ErrorCode) {
    return { reason: printable(`${ErrorCode}: ${ErrorMessage ?? ''}`), again: !LASTING.test(ErrorCode) };
  }
  return EventId ? 'accepted' : { reason: 'EventBridge gave this entry no EventId', again: true };
}

function readFailure({ class: callClass, error }: CallFailure): Verdict {
  const reason = error.message;
  if (callClass === 'entries') return { reason, again: false };
  return { reason, again: callClass === 'later', failure: error };
}
