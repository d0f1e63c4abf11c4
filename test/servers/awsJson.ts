/** The wire of AWS's JSON 1.1 protocol on loopback, for the stand-ins of EventBridge and Secrets Manager. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** An error as the service names it. */
export class AwsJsonError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** Thrown by an operation: the connection is reset and no answer is given. */
export const LOST = Symbol('the answer is lost');

export type Operations = Readonly<Record<string, (input: Record<string, unknown>) => unknown>>;

export interface AwsJsonServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** `operations` are keyed by X-Amz-Target, for example "AWSEvents.PutEvents"; each returns or throws the answer. */
export async function startAwsJson(operations: Operations): Promise<AwsJsonServer> {
  const server = createServer((request, response) => {
    void answer(operations, request).then(
      (output) => reply(response, 200, output),
      (error: unknown) => {
        if (error === LOST) request.socket.resetAndDestroy();
        else if (error instanceof AwsJsonError) {
          reply(response, error.status, { __type: error.type, message: error.message });
        } else reply(response, 500, { __type: 'InternalFailure', message: String(error) });
      },
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

async function answer(operations: Operations, request: IncomingMessage): Promise<unknown> {
  const target = String(request.headers['x-amz-target']);
  const operation = operations[target];
  if (!operation) throw new AwsJsonError('UnknownOperationException', `no operation ${target}`);
  return operation((await json(request)) as Record<string, unknown>);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'Content-Type': 'application/x-amz-json-1.1',
    'x-amzn-RequestId': randomUUID(),
  });
  response.end(JSON.stringify(body));
}
