/**
 * Between a function and what it calls: counts what AWS would ask money for, and holds each request up for as long as a
 * line within a region would. The host in the request stays ours, as it is signed.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** By the names of their prices; all that a function can cause by a request. */
export interface Requests {
  s3Writes: number;
  s3Reads: number;
  events: number;
  fifoCalls: number;
  secretReads: number;
}

export const NO_REQUESTS: Readonly<Requests> = {
  s3Writes: 0,
  s3Reads: 0,
  events: 0,
  fifoCalls: 0,
  secretReads: 0,
};

export interface HttpMeter {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** EventBridge and SQS count so many bytes as one. */
const CHUNK_BYTES = 64 * 1024;

/** Counts into `requests`. */
export async function startHttpMeter(
  target: string,
  { requests, latencyMs }: { readonly requests: Requests; readonly latencyMs: number },
): Promise<HttpMeter> {
  const agent = new Agent({ keepAlive: true });
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await buffer(incoming);
    count(requests, incoming, body);
    await sleep(latencyMs);
    const { method, url, headers } = incoming;
    // The meter has said 100 already, and knows the length.
    const { expect: _expect, 'transfer-encoding': _encoding, connection: _connection, ...rest } = headers;
    const all = { ...rest, 'content-length': body.length };
    const onward = request(`${target}${url}`, { method, headers: all, agent });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const content = await buffer(answer);
    const { connection: _closed, 'transfer-encoding': _chunked, ...answered } = answer.headers;
    // What HEAD says of its length is the object's.
    if (method !== 'HEAD') answered['content-length'] = String(content.length);
    outgoing.writeHead(answer.statusCode ?? 502, answered);
    outgoing.end(content);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

function count(requests: Requests, { method, url = '', headers }: IncomingMessage, body: Buffer): void {
  const target = headers['x-amz-target'];
  if (target === undefined) {
    const lists = new URL(url, 'http://meter').searchParams.has('list-type');
    if (method === 'PUT' || method === 'POST' || lists) requests.s3Writes += 1;
    else if (method !== 'DELETE') requests.s3Reads += 1;
  } else if (target === 'AWSEvents.PutEvents') {
    const { Entries } = JSON.parse(String(body)) as { readonly Entries: readonly object[] };
    for (const entry of Entries) requests.events += chunks(Buffer.byteLength(JSON.stringify(entry)));
  } else if (String(target).startsWith('AmazonSQS.')) {
    requests.fifoCalls += chunks(body.length);
  } else if (target === 'secretsmanager.GetSecretValue') {
    requests.secretReads += 1;
  }
}

function chunks(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES);
}
