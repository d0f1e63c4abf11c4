/** The S3 client with a bound on everything, and the one place where requests are repeated. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Answer, type AnswerClass, readAnswer } from './s3Errors.ts';
import { type ObjectHeaders, type ObjectLock, objectHeaders } from './s3Headers.ts';

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** For stores other than AWS: an http or https URL. */
  readonly endpoint?: string;
  /** Bucket in the path instead of the host name, as most stores other than AWS want it. */
  readonly forcePathStyle?: boolean;
  /** Default: the SDK's chain (environment, files, role). */
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>;
  /** Of mail objects; the bucket must have Object Lock enabled. Default: none. */
  readonly objectLock?: ObjectLock;
  readonly limits?: Partial<S3Limits>;
  readonly sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Each is a bound that the SDK does not set by itself. */
export interface S3Limits {
  /** Reaching the store and TLS. Within a region this takes milliseconds. */
  readonly connectMs: number;
  /** No byte either way on a connection in use, body included. */
  readonly silenceMs: number;
  /** One try up to its answer's head; bytes to send add to it at `slowestBytesPerMs`. */
  readonly requestMs: number;
  /** All tries of one operation, its body included; bytes add to it likewise. */
  readonly operationMs: number;
  /** Slower than 64 KB a second is as good as broken: an 8 MB part then takes two minutes. */
  readonly slowestBytesPerMs: number;
  /** Connections at once; more requests wait for one. */
  readonly maxSockets: number;
  /** Tries of one operation where it may be repeated at all. */
  readonly tries: number;
  /** Back-off before the second try at most, doubled for each further one; the wait is random below it. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
}

const LIMITS: S3Limits = {
  connectMs: 5_000,
  silenceMs: 20_000,
  requestMs: 20_000,
  operationMs: 60_000,
  slowestBytesPerMs: 64,
  maxSockets: 64,
  tries: 4,
  backOffMs: 200,
  maxBackOffMs: 3_000,
};

/** Passed with every request of an operation. */
export interface CallOptions {
  readonly abortSignal: AbortSignal;
  readonly requestTimeout: number;
}

export type Reply<T> = { readonly value: T } | { readonly answer: Answer };

/** The classes after which an operation is tried again; which it may use is the table in s3Errors.ts. */
export const FOR_COMPLETE: ReadonlySet<AnswerClass> = new Set(['not done']);
export const FOR_REPLACE: ReadonlySet<AnswerClass> = new Set([...FOR_COMPLETE, 'collided']);
export const FOR_CREATE: ReadonlySet<AnswerClass> = new Set([...FOR_REPLACE, 'slow down']);
/** For what does no harm when done twice. */
export const HARMLESS: ReadonlySet<AnswerClass> = new Set([...FOR_CREATE, 'unclear']);

export interface Call {
  readonly again: ReadonlySet<AnswerClass>;
  /** Octets of the request's body; they add to the time allowed up to the answer's head. */
  readonly sends?: number;
  /** Octets of the answer's body, or a bound on them; they add to the time allowed in all. */
  readonly receives?: number;
  /** Ends the operation early. */
  readonly cancel?: AbortSignal;
}

export class S3Calls {
  readonly client: S3Client;
  readonly bucket: string;
  readonly #objectLock: ObjectLock | undefined;
  readonly #limits: S3Limits;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #random: () => number;

  constructor(options: S3Options) {
    this.#limits = { ...LIMITS, ...options.limits };
    this.bucket = options.bucket;
    this.#objectLock = options.objectLock;
    this.#sleep = options.sleep;
    this.#random = options.random;
    this.client = makeClient(options, this.#limits);
  }

  headersOf(key: string): ObjectHeaders {
    return objectHeaders(key, this.#objectLock);
  }

  /** The value of the first try that has one, else the last try's answer. */
  async run<T>(call: Call, attempt: (options: CallOptions) => Promise<T>): Promise<Reply<T>> {
    const { operationMs, requestMs } = this.#limits;
    const sendMs = this.bytesMs(call.sends ?? 0);
    const timeout = AbortSignal.timeout(operationMs + sendMs + this.bytesMs(call.receives ?? 0));
    const abortSignal = call.cancel ? AbortSignal.any([timeout, call.cancel]) : timeout;
    const options = { abortSignal, requestTimeout: requestMs + sendMs };
    for (let tries = 1; ; tries += 1) {
      try {
        return { value: await attempt(options) };
      } catch (error) {
        const answer = readAnswer(error);
        const last = tries >= this.#limits.tries || abortSignal.aborted || !call.again.has(answer.class);
        if (last) return { answer };
        await this.#sleep(this.#backOffMs(tries));
      }
    }
  }

  /** How long so many octets may take on the slowest line that is served. */
  bytesMs(bytes: number): number {
    return Math.ceil(bytes / this.#limits.slowestBytesPerMs);
  }

  #backOffMs(tries: number): number {
    return this.#random() * Math.min(this.#limits.maxBackOffMs, this.#limits.backOffMs * 2 ** (tries - 1));
  }
}

function makeClient(options: S3Options, limits: S3Limits): S3Client {
  const agent = { keepAlive: true, maxSockets: limits.maxSockets };
  const client = new S3Client({
    region: options.region,
    forcePathStyle: options.forcePathStyle ?? false,
    // Our own retries are visible and tell a lost answer from a conflict; the SDK's do not.
    maxAttempts: 1,
    // Every body here comes with its SHA-256; the default CRC trailers break stores other than AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The SDK waits for "100 Continue" above 2 MB, each time on a new connection: three round trips a part.
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      socketTimeout: limits.silenceMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  signKnownChecksum(client);
  return client;
}

/**
 * Signs a body's SHA-256 that is already in its checksum header, instead of hashing the body again: half the
 * hashing. It is also a second check by the store, and the one that Ceph RGW 16 makes, which accepts a wrong
 * x-amz-checksum-sha256; that is why no Content-MD5 is sent.
 */
function signKnownChecksum(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (isPut(request)) {
        const checksum = request.headers['x-amz-checksum-sha256'];
        if (checksum !== undefined) {
          request.headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
        }
      }
      return next(args);
    },
    { step: 'build', name: 'signKnownChecksum' },
  );
}

function isPut(
  request: unknown,
): request is { readonly method: 'PUT'; readonly headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'method' in request && request.method === 'PUT';
}
