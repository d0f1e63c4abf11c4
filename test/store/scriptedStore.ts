/** An S3 store against a scripted server, one for each test, and the answers that S3 gives most. */
import { afterEach } from 'vitest';
import type { ObjectStore } from '../../lib/store/port.ts';
import { s3Store } from '../../lib/store/s3.ts';
import type { S3Limits, S3Options } from '../../lib/store/s3Calls.ts';
import {
  type S3Answer,
  type S3Operation,
  type S3Request,
  type ScriptedS3,
  startScriptedS3,
} from '../servers/scriptedS3.ts';

/** Given to the store's client; no error may show any of them. */
export const CREDENTIALS = {
  accessKeyId: 'AKFORTEST',
  secretAccessKey: 'made for this test',
  sessionToken: 'session of this test',
};

/** Where an answer is awaited that never comes; everywhere else a busy machine has all the time it needs. */
const SHORT_MS = 800;
const LONG_MS = 60_000;

let server: ScriptedS3 | undefined;

export async function stopServer(): Promise<void> {
  await server?.stop();
  server = undefined;
}

afterEach(stopServer);

/** Timeouts for a store that waits for an answer which never comes. */
export const IMPATIENT: Partial<S3Limits> = { requestMs: SHORT_MS };

/** The store whose requests `answer` answers. */
export async function storeWith(
  answer: (request: S3Request, before: number) => S3Answer | Promise<S3Answer>,
  limits: Partial<S3Limits> = {},
  more: Pick<S3Options, 'objectLock'> = {},
): Promise<ObjectStore> {
  server = await startScriptedS3(answer);
  return s3Store({
    bucket: 'bucket',
    region: 'eu-central-1',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: CREDENTIALS,
    limits: { requestMs: LONG_MS, silenceMs: LONG_MS, ...limits },
    sleep: async () => {},
    random: () => 0.5,
    ...more,
  });
}

/** Every request so far, in the order they came whole. */
export const requests = (): readonly S3Request[] => server?.requests ?? [];

export const requestsOf = (operation: S3Operation): S3Request[] =>
  requests().filter((request) => request.operation === operation);

export const ok = (headers: Record<string, string> = {}, body: string | Buffer = ''): S3Answer => ({
  status: 200,
  headers,
  body,
});
export const stored = ok({ etag: '"e1"' });
export const begun = ok(
  {},
  '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
);
export const completed = ok(
  {},
  '<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>',
);
