/**
 * AWS Lambda's Runtime API (version 2018-06-01) on loopback: what a runtime client asks its work of and gives
 * its answers to. It knows HTTP and invocations; lambdaRuntime.ts owns the process and the time.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface HandlerError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export interface Invocation {
  readonly requestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  /** Called as the event is handed over; returns the deadline, in ms since the epoch. */
  readonly begin: () => number;
}

export interface RuntimeApi {
  /** For AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** What the next GET of `next` gets; waits for one that is there already. */
  offer(invocation: Invocation): void;
  /** Forgets what was offered and who was waiting: their process is gone. */
  reset(): void;
  close(): Promise<void>;
}

export interface RuntimeAnswers {
  readonly response: (requestId: string, result: unknown) => void;
  readonly failure: (requestId: string, error: HandlerError) => void;
  /** The function could not be loaded. */
  readonly initFailure: (error: HandlerError) => void;
}

const BASE = '/2018-06-01/runtime';

export async function startRuntimeApi(answers: RuntimeAnswers): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;
  let offered: Invocation | undefined;

  const hand = () => {
    if (waiting === undefined || offered === undefined) return;
    const [response, invocation] = [waiting, offered];
    waiting = undefined;
    offered = undefined;
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
      'Lambda-Runtime-Deadline-Ms': String(invocation.begin()),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
      'Lambda-Runtime-Trace-Id': `Root=1-00000000-${randomUUID().replaceAll('-', '').slice(0, 24)};Sampled=0`,
    });
    response.end(JSON.stringify(invocation.event));
  };

  const server = createServer((request, response) => {
    const route = `${request.method} ${request.url?.replace(BASE, '')}`;
    if (route === 'GET /invocation/next') {
      waiting = response;
      response.on('close', () => {
        if (waiting === response) waiting = undefined;
      });
      hand();
      return;
    }
    void answered(route, request, answers).then((status) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end('{"status":"OK"}');
    });
  });
  // `next` may wait for as long as a test likes.
  server.requestTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    offer(invocation) {
      offered = invocation;
      hand();
    },
    reset() {
      waiting?.destroy();
      waiting = undefined;
      offered = undefined;
    },
    async close() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** The status of the reply. A body that broke off is a process that died; its end is seen elsewhere. */
async function answered(route: string, request: IncomingMessage, answers: RuntimeAnswers): Promise<number> {
  const body = await json(request).catch(() => undefined);
  const [, requestId = '', what] = /^POST \/invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
  if (what === 'response') answers.response(requestId, body);
  else if (what === 'error') answers.failure(requestId, body as HandlerError);
  else if (route === 'POST /init/error') answers.initFailure(body as HandlerError);
  else return 404;
  return 202;
}
