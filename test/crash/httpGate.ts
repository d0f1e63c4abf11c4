/**
 * Between a process and its S3 server or bus: takes each request whole, and each answer whole, and lets nothing
 * through that a trap holds up. The host in the request stays ours, as it is signed.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Trapped } from './trap.ts';

export interface HttpGate extends Trapped {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Moments: "<request> before", "<request> answered"; for the requests' names see nameOf. */
export async function startHttpGate(target: string): Promise<HttpGate> {
  const server = createServer((incoming, outgoing) => {
    pass({ gate, target }, incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const gate: HttpGate = {
    trap: null,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
  return gate;
}

interface Way {
  readonly gate: HttpGate;
  readonly target: string;
}

async function pass(
  { gate, target }: Way,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const name = nameOf(incoming);
  const body = await buffer(incoming);
  const stops = async (moment: string) => (await gate.trap?.pass(`${name} ${moment}`, body)) === 'gone';
  if (await stops('before')) return void incoming.socket.destroy();
  const answer = await forwarded(target, incoming, body);
  if (await stops('answered')) return void incoming.socket.destroy();
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

async function forwarded(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, url, headers } = incoming;
  // The gate has said 100 already, and knows the length.
  const { expect: _expect, 'transfer-encoding': _encoding, ...rest } = headers;
  const onward = request(`${target}${url}`, {
    method,
    headers: { ...rest, 'content-length': body.length },
    agent: false,
  });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const content = await buffer(answer);
  return { status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: content };
}

function nameOf({ method, url = '', headers }: IncomingMessage): string {
  const target = headers['x-amz-target'];
  if (target !== undefined) return String(target).replace('AWSEvents.', '');
  const { pathname, searchParams } = new URL(url, 'http://gate');
  const [, , folder = '', name = ''] = pathname.split('/');
  if (method === 'POST' && searchParams.has('uploads')) return 'begin upload';
  if (method === 'POST') return 'Complete';
  if (searchParams.has('partNumber')) return 'part';
  // Not a mailbox's: what the store was found able to.
  if (name.startsWith('_')) return `${method} abilities`;
  return `${method} ${folder}`;
}
