/** A token endpoint that answers what a test says, over https; for what a real server does not do when asked to. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Loopback, loopbackPair } from './certificates.ts';

export interface Asked {
  readonly path: string;
  readonly form: URLSearchParams;
  readonly headers: NodeJS.Dict<string | string[]>;
}

export interface TokenEndpoint {
  readonly url: string;
  readonly ca: string;
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

export type Answering = (asked: Asked, response: ServerResponse) => void | Promise<void>;

/** `proof`: default one for localhost. */
export async function startTokenEndpoint(answering: Answering, proof?: Loopback): Promise<TokenEndpoint> {
  const { cert, key, ca } = proof ?? (await loopbackPair());
  const asked: Asked[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const one = { path: request.url ?? '', form, headers: request.headers };
    asked.push(one);
    await answering(one, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/token`,
    ca,
    asked,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answering {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}
