/**
 * The bucket over HTTP, with a script: for the n-th request of a kind, whether and when it takes effect, what is
 * said of it, and what others do meanwhile. Without a script every answer is the bucket's own.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { S3Answer, S3Operation, S3Request } from '../../servers/scriptedS3.ts';
import type { Bucket, Prepared } from './bucket.ts';
import type { Deed, Effect, Said, Script, Step } from './script.ts';

export interface AnswerServer {
  readonly endpoint: string;
  /** Every request that came whole, since the script was given. */
  readonly requests: S3Request[];
  /** From now on, with requests counted anew; `by` is whose they are, for the bucket's log. */
  follow(script: Script, by: string): void;
  /** What was taken and not done yet is done now. */
  land(): void;
  stop(): Promise<void>;
}

const KIND: Partial<Record<S3Operation, keyof Script>> = {
  PutObject: 'writes',
  CompleteMultipartUpload: 'writes',
  GetObject: 'looks',
  HeadObject: 'looks',
  UploadPart: 'parts',
  AbortMultipartUpload: 'aborts',
};

interface Late {
  readonly effect: Effect;
  readonly prepared: Prepared;
}

/** `act` does what the script wants of others. */
export async function startAnswers(
  bucket: Bucket,
  act: (deed: Deed) => Promise<void> = async () => {},
): Promise<AnswerServer> {
  const requests: S3Request[] = [];
  let script: Script = {};
  let by = 'another run';
  let late: Late[] = [];
  /** Of what others were to do, or of the bucket itself: a mistake in the test, told when it stops. */
  let failure: unknown;

  function land(...effects: Effect[]): void {
    const due = late.filter(({ effect }) => effects.includes(effect));
    late = late.filter(({ effect }) => !effects.includes(effect));
    for (const { prepared } of due) prepared();
  }

  async function answer(request: S3Request): Promise<Said> {
    const kind = KIND[request.operation];
    const earlier = requests.filter(({ operation }) => kind !== undefined && KIND[operation] === kind).length;
    requests.push(request);
    const step = kind && script[kind]?.[earlier];
    if (step?.before) await act(step.before);
    if (kind === 'looks') land('before the look');
    const said = take(step, bucket.prepare(request, by));
    if (kind === 'looks') land('after the look');
    if (step?.afterwards) await act(step.afterwards);
    return said;
  }

  function take(step: Step | undefined, prepared: Prepared): Said {
    if (step === undefined) return prepared();
    if (step.effect === 'now') {
      const truth = prepared();
      return typeof step.says === 'function' ? step.says(truth) : step.says;
    }
    if (step.effect !== 'never') late.push({ effect: step.effect, prepared });
    return step.says;
  }

  const server = createServer((incoming, response) => {
    receive(incoming).then(
      async (request) => {
        const said = await answer(request).catch((error: unknown) => {
          failure ??= error;
          return 'closes' as const;
        });
        reply(said, response);
      },
      // A request that breaks off is none: nothing of it is kept.
      () => response.socket?.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    follow(next, whose) {
      script = next;
      by = whose;
      requests.length = 0;
    },
    land: () => land('before the look', 'after the look', 'in the end'),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      if (failure !== undefined) throw failure;
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<S3Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://localhost');
  const operation = operationOf(incoming.method ?? '', query);
  return { operation, path, query, headers: incoming.headers, body: Buffer.concat(chunks) };
}

function operationOf(method: string, query: URLSearchParams): S3Operation {
  const of: Record<string, S3Operation> = {
    HEAD: 'HeadObject',
    GET: query.has('list-type') ? 'ListObjectsV2' : 'GetObject',
    PUT: query.has('partNumber') ? 'UploadPart' : 'PutObject',
    POST: query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload',
    DELETE: query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject',
  };
  const operation = of[method];
  if (operation === undefined) throw new Error(`no S3 operation: ${method}`);
  return operation;
}

function reply(said: Said, response: ServerResponse): void {
  const { socket } = response;
  if (said === 'silence') return;
  if (said === 'reset') socket?.resetAndDestroy();
  else if (said === 'closes') socket?.destroy();
  else if (said === 'breaks off') socket?.end('HTTP/1.1 20');
  else send(said, response);
}

function send(said: Exclude<S3Answer, string>, response: ServerResponse): void {
  const { status, headers = {}, body = '', cutAfter } = said;
  const whole = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'content-length': String(whole.length), ...headers });
  if (cutAfter === undefined) response.end(whole);
  else response.write(whole.subarray(0, cutAfter), () => response.socket?.destroy());
}
