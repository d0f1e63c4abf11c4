/**
 * A stand-in for a FIFO queue of SQS: it answers SendMessageBatch and notes ChangeMessageVisibility over AWS's own protocol, drops repeats for five minutes,
 * and hands jobs out as a function's event source does, one of a group at a time. It is not the queue: it has no
 * visibility timeout, no dead-letter queue, no permissions and no signature check, and keeps everything in memory.
 */
import { createHash, randomUUID } from 'node:crypto';
import { AwsJsonError, LOST, startAwsJson } from './awsJson.ts';

export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
  readonly group: string;
  readonly once: string;
}

/**
 * What the next SendMessageBatch meets. lost: taken, and the answer never comes. dropped: the same, but nothing was
 * taken. A status refuses the call; a function refuses single entries.
 */
export type QueueFault =
  | 'lost'
  | 'dropped'
  | { readonly status: number; readonly type: string }
  | ((
      message: QueuedMessage,
      index: number,
    ) => { readonly code: string; readonly senderFault: boolean } | null);

export interface JobsQueue {
  readonly url: string;
  /** All that were ever taken, repeats left out, in order. */
  readonly taken: readonly QueuedMessage[];
  /** Repeats that were dropped. */
  readonly repeats: readonly QueuedMessage[];
  /** Of each ChangeMessageVisibility that was served. */
  readonly changes: readonly { readonly receipt: unknown; readonly seconds: unknown }[];
  /** Taken from the front, one for each call. */
  readonly faults: QueueFault[];
  readonly calls: { SendMessageBatch: number };
  /** The next job of a group that has none in hand; it is in hand until `done` or `back`. */
  next(): QueuedMessage | undefined;
  done(message: QueuedMessage): void;
  back(message: QueuedMessage): void;
  stop(): Promise<void>;
}

/** Refused, as one is that was handed out to somebody else since. */
export const UNKNOWN_RECEIPT = 'unknown';

const REPEAT_MS = 300_000;
const MAX_ENTRIES = 10;
const PATH = '/000000000000/jobs.fifo';

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

export async function startJobsQueue(now: () => number = Date.now): Promise<JobsQueue> {
  const taken: QueuedMessage[] = [];
  const repeats: QueuedMessage[] = [];
  const waiting: QueuedMessage[] = [];
  const inHand = new Set<QueuedMessage>();
  const seen = new Map<string, { readonly messageId: string; readonly atMs: number }>();
  const changes: { receipt: unknown; seconds: unknown }[] = [];
  const faults: QueueFault[] = [];
  const calls = { SendMessageBatch: 0 };

  const take = (message: QueuedMessage): string => {
    const first = seen.get(message.once);
    if (first !== undefined && now() - first.atMs < REPEAT_MS) {
      repeats.push(message);
      return first.messageId;
    }
    seen.set(message.once, { messageId: message.messageId, atMs: now() });
    taken.push(message);
    waiting.push(message);
    return message.messageId;
  };

  const sendBatch = (entries: readonly Entry[]) => {
    calls.SendMessageBatch += 1;
    const fault = faults.shift();
    if (fault === 'dropped') throw LOST;
    if (typeof fault === 'object') throw new AwsJsonError(fault.type, 'refused by the test', fault.status);
    if (
      entries.length === 0 ||
      entries.length > MAX_ENTRIES ||
      new Set(entries.map(({ Id }) => Id)).size < entries.length
    )
      throw new AwsJsonError('com.amazonaws.sqs#BatchEntryIdsNotDistinct', 'the batch is malformed');
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const [index, entry] of entries.entries()) {
      const { MessageGroupId: group = '', MessageDeduplicationId: once = '', MessageBody: body } = entry;
      const message = { messageId: randomUUID(), body, group, once };
      const refusal = (typeof fault === 'function' ? fault(message, index) : null) ?? refusalOf(message);
      if (refusal)
        Failed.push({ Id: entry.Id, Code: refusal.code, SenderFault: refusal.senderFault, Message: 'no' });
      else {
        const MD5OfMessageBody = createHash('md5').update(body).digest('hex');
        Successful.push({ Id: entry.Id, MessageId: take(message), MD5OfMessageBody });
      }
    }
    if (fault === 'lost') throw LOST;
    return { Successful, Failed };
  };

  const server = await startAwsJson({
    'AmazonSQS.SendMessageBatch': (input) => {
      if (!String(input['QueueUrl']).endsWith(PATH))
        throw new AwsJsonError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
      return sendBatch(input['Entries'] as readonly Entry[]);
    },
    'AmazonSQS.ChangeMessageVisibility': ({ ReceiptHandle: receipt, VisibilityTimeout: seconds }) => {
      if (receipt === UNKNOWN_RECEIPT)
        throw new AwsJsonError('com.amazonaws.sqs#ReceiptHandleIsInvalid', 'The receipt handle is invalid.');
      changes.push({ receipt, seconds });
      return {};
    },
  });
  return {
    url: `${server.endpoint}${PATH}`,
    ...{ taken, repeats, changes, faults, calls },
    next() {
      const busy = new Set([...inHand].map(({ group }) => group));
      const at = waiting.findIndex(({ group }) => !busy.has(group));
      const [message] = at === -1 ? [] : waiting.splice(at, 1);
      if (message) inHand.add(message);
      return message;
    },
    done: (message) => void inHand.delete(message),
    back(message) {
      if (inHand.delete(message)) waiting.unshift(message);
    },
    stop: () => server.stop(),
  };
}

function refusalOf({ group, once }: QueuedMessage): { code: string; senderFault: boolean } | null {
  const good = /^[!-~]{1,128}$/;
  return good.test(group) && good.test(once) ? null : { code: 'InvalidParameterValue', senderFault: true };
}
