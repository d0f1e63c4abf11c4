/**
 * A stand-in for a standard queue of SQS, for who receives: it answers ReceiveMessage and DeleteMessage over AWS's own
 * protocol. It is not the queue: a message that is not deleted comes again when the test says so, and nothing is ever a
 * dead letter.
 */
import { createHash, randomUUID } from 'node:crypto';
import { AwsJsonError, startAwsJson } from './awsJson.ts';

export interface MessageQueue {
  readonly url: string;
  readonly endpoint: string;
  put(body: string): void;
  /** What was received and not deleted is to be had again. */
  timeOut(): void;
  /** Neither waiting nor in hand. */
  readonly isEmpty: boolean;
  stop(): Promise<void>;
}

const PATH = '/000000000000/tickets';

export async function startMessageQueue(): Promise<MessageQueue> {
  const waiting: string[] = [];
  const inHand = new Map<string, string>();
  const mustBeOurs = (input: Record<string, unknown>) => {
    if (!String(input['QueueUrl']).endsWith(PATH))
      throw new AwsJsonError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  };
  const server = await startAwsJson({
    'AmazonSQS.ReceiveMessage'(input) {
      mustBeOurs(input);
      const Messages = waiting.splice(0, Number(input['MaxNumberOfMessages'] ?? 1)).map((Body) => {
        const ReceiptHandle = randomUUID();
        inHand.set(ReceiptHandle, Body);
        const MD5OfBody = createHash('md5').update(Body).digest('hex');
        return { Body, ReceiptHandle, MD5OfBody, MessageId: randomUUID() };
      });
      return Messages.length === 0 ? {} : { Messages };
    },
    'AmazonSQS.DeleteMessage'(input) {
      mustBeOurs(input);
      inHand.delete(String(input['ReceiptHandle']));
      return {};
    },
  });
  return {
    url: `${server.endpoint}${PATH}`,
    endpoint: server.endpoint,
    put: (body) => void waiting.push(body),
    timeOut() {
      waiting.push(...inHand.values());
      inHand.clear();
    },
    get isEmpty() {
      return waiting.length + inHand.size === 0;
    },
    stop: () => server.stop(),
  };
}
