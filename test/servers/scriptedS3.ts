/**
 * An HTTP server that takes S3 requests and answers what a test tells it to: for the answers that no real
 * store gives on demand. It keeps nothing; real stores are for that.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload';

export interface S3Request {
  readonly operation: S3Operation;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type S3Answer =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string | Buffer;
      /** The body breaks off after so many bytes. */
      readonly cutAfter?: number;
    }
  /** The whole request is read, and the connection reset. */
  | 'reset'
  /** The whole request is read, and nothing ever said. */
  | 'silence';

export interface ScriptedS3 {
  readonly endpoint: string;
  /** Every request so far, whole. */
  readonly requests: S3Request[];
  stop(): Promise<void>;
}

/** S3's error document. */
export function s3Error(status: number, code: string, more = '', words = `words of ${code}`): S3Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${words}</Message>${more}</Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

/** `answer` is asked once for each request, with the number of requests of that operation before it. */
export async function startScriptedS3(
  answer: (request: S3Request, before: number) => S3Answer | Promise<S3Answer>,
): Promise<ScriptedS3> {
  const requests: S3Request[] = [];
  const server = createServer((incoming, response) => {
    void receive(incoming).then(async (request) => {
      const before = requests.filter(({ operation }) => operation === request.operation).length;
      requests.push(request);
      reply(await answer(request, before), response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<S3Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  const operation = operationOf(incoming.method ?? '', pathname, searchParams);
  return {
    operation,
    path: pathname,
    query: searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

function operationOf(method: string, path: string, query: URLSearchParams): S3Operation {
  if (query.has('list-type')) return 'ListObjectsV2';
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (method === 'PUT') return query.has('partNumber') ? 'UploadPart' : 'PutObject';
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'HEAD') return 'HeadObject';
  if (method === 'GET') return 'GetObject';
  throw new Error(`no S3 operation: ${method} ${path}`);
}

function reply(answer: S3Answer, response: ServerResponse): void {
  if (answer === 'silence') return;
  if (answer === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status, headers = {}, body = '', cutAfter } = answer;
  const whole = Buffer.from(body);
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(whole.length) };
  response.writeHead(status, { ...length, ...headers });
  if (cutAfter === undefined) {
    response.end(whole);
    return;
  }
  response.write(whole.subarray(0, cutAfter), () => response.socket?.destroy());
}
