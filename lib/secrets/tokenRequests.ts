/**
 * HTTP to token endpoints, and the one place in lib/secrets that opens a connection of its own: https (http on this
 * machine only), no redirects, an answer and a time that are bounded, and only addresses that may be reached.
 */
import { promises as dns } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { forbidden, type Reach } from '../pop3/addresses.ts';
import { HOLD_LATER_MS, later, NOT_HTTPS, person, type TokenFailure } from './tokenErrors.ts';

export interface TokenAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

/** Sends one POST. Rejects with RequestFailure. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal?: AbortSignal,
) => Promise<TokenAnswer>;

export interface TokenRequestOptions {
  /** Which addresses are connected to, whatever name they stand behind. */
  readonly reach: Reach;
  /** PEM; default: the authorities that Node trusts. */
  readonly ca?: string;
  /** Default: the system's resolver. What it answered is what is looked at and connected to. */
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
  readonly limits?: Partial<TokenRequestLimits>;
}

export interface Address {
  readonly address: string;
  readonly family: number;
}

export interface TokenRequestLimits {
  /** From the name to the last byte. Providers answer within a second. */
  readonly requestMs: number;
  /** Tokens have a few KB; Microsoft's with many claims up to 16. */
  readonly answerBytes: number;
}

const LIMITS: TokenRequestLimits = { requestMs: 15_000, answerBytes: 64 * 1024 };

export class RequestFailure extends Error {
  readonly failure: TokenFailure;

  constructor(failure: TokenFailure) {
    super(failure.words);
    this.failure = failure;
  }
}

export function tokenRequests(options: TokenRequestOptions): Post {
  const limits = { ...LIMITS, ...options.limits };
  return async (url, headers, body, stop) => {
    const target = permitted(url, options.reach);
    const timeout = AbortSignal.timeout(limits.requestMs);
    const signal = stop === undefined ? timeout : AbortSignal.any([timeout, stop]);
    try {
      const answer = await send(target, { headers, body, signal, options });
      const bytes = await bounded(answer, limits.answerBytes);
      return {
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'] ?? '',
        retryAfter: answer.headers['retry-after'],
        body: bytes,
      };
    } catch (error) {
      throw error instanceof RequestFailure
        ? error
        : failed(timeout.aborted ? `did not answer within ${limits.requestMs / 1000} s` : error);
    }
  };
}

interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly options: TokenRequestOptions;
}

function send(url: URL, { headers, body, signal, options }: Sending): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const common = {
    method: 'POST',
    // Left out, any coding would do (RFC 9110 section 12.5.3).
    headers: { ...headers, 'accept-encoding': 'identity', 'content-length': String(Buffer.byteLength(body)) },
    // A connection of its own for each: there are few, and one that is kept could lead elsewhere than its name now does.
    agent: false,
    lookup: lookupOf(url, options),
    signal,
  } as const;
  const request =
    url.protocol === 'http:'
      ? requestHttp(url, common)
      : requestHttps(url, {
          ...common,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
          minVersion: 'TLSv1.2',
          rejectUnauthorized: true,
        });
  request.on('response', resolve);
  request.on('error', reject);
  request.end(body);
  return promise;
}

async function bounded(answer: IncomingMessage, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    // Leaving the loop drops the connection.
    if (length > limit) {
      throw new RequestFailure(
        later('E_TOKEN_ANSWER', `the token endpoint's answer has more than ${limit} bytes`),
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** An address in the URL is never looked up: it is judged here. */
function permitted(given: string, reach: Reach): URL {
  const url = URL.parse(given);
  if (url === null || !(url.protocol === 'https:' || url.protocol === 'http:')) {
    throw new RequestFailure(NOT_HTTPS);
  }
  const host = hostOf(url);
  if (url.protocol === 'http:' && host !== 'localhost' && !isLoopback(host)) {
    throw refused('the token endpoint is given with http, which shows secrets to everybody. Write https.');
  }
  const what = isIP(host) === 0 ? null : forbidden(host, reach);
  if (what !== null) throw outOfReach(host, what);
  return url;
}

function lookupOf(url: URL, { reach, resolve = resolveHost }: TokenRequestOptions): LookupFunction {
  return (host, { all }, callback) => {
    const decide = async () => {
      const found = await resolve(host);
      const judged = found.map((one) => ({ ...one, what: forbidden(one.address, reach) }));
      const local = url.protocol === 'http:';
      const allowed = judged.filter(({ address, what }) => what === null && (!local || isLoopback(address)));
      if (allowed.length > 0) return allowed;
      const [first] = judged;
      throw outOfReach(host, first === undefined ? 'nowhere' : (first.what ?? 'not this machine'));
    };
    decide().then(
      (allowed) => {
        const [first] = allowed;
        if (all || first === undefined)
          callback(
            null,
            allowed.map(({ address, family }) => ({ address, family })),
          );
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

async function resolveHost(host: string): Promise<readonly Address[]> {
  return dns.lookup(host, { all: true });
}

function isLoopback(host: string): boolean {
  return forbidden(host, 'public') === 'loopback';
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function refused(words: string): RequestFailure {
  return new RequestFailure(person('E_TOKEN_SOURCE', words, HOLD_LATER_MS));
}

function outOfReach(host: string, what: string): RequestFailure {
  return refused(`the token endpoint ${host} is ${what}, which is not connected to from here. Correct it.`);
}

const CERTIFICATE_CODES = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_TLS_CERT)/;

/** `what`: words, or what Node says of the connection; of that only the code goes further. */
function failed(what: unknown): RequestFailure {
  if (typeof what === 'string') return new RequestFailure(unreachable(what));
  const code = what instanceof Error && 'code' in what ? String(what.code) : 'for no known reason';
  if (CERTIFICATE_CODES.test(code)) {
    const words = `the token endpoint's certificate is not accepted (${code}). Check the endpoint, and the authorities that Node trusts (NODE_EXTRA_CA_CERTS).`;
    return new RequestFailure(person('E_TOKEN_CERTIFICATE', words, HOLD_LATER_MS));
  }
  return new RequestFailure(unreachable(`cannot be reached (${code})`));
}

function unreachable(how: string): TokenFailure {
  return later('E_TOKEN_UNREACHABLE', `the token endpoint ${how}`);
}
