/**
 * Requests to token endpoints (RFC 6749 section 4 and 6, RFC 7523, RFC 8628), formed and read by oauth4webapi. What
 * refusals mean is in oauthErrors.ts.
 */
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretPost,
  customFetch,
  genericTokenEndpointRequest,
  None,
  processGenericTokenEndpointResponse,
} from 'oauth4webapi';
import { oauthFailure } from './oauthErrors.ts';
import { Secret } from './port.ts';
import type { Issued } from './tokenCache.ts';
import { LONGEST_HOLD_MS, later, TokenError } from './tokenErrors.ts';
import { inOrder, refreshTokenIn } from './tokenMembers.ts';
import { type Post, RequestFailure, type TokenAnswer } from './tokenRequests.ts';

export interface OAuthPorts {
  readonly post: Post;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends what is under way; absent: its time limit alone does. */
  readonly signal?: AbortSignal;
}

export interface Grant {
  /** Of whatever is told of it. */
  readonly reference: string;
  readonly tokenEndpoint: string;
  readonly grantType: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Null: the grant itself says who asks. */
  readonly clientId: string | null;
  readonly clientSecret?: Secret | undefined;
  /** What nothing that is told may hold. */
  readonly secrets: readonly Secret[];
  /** What to do about invalid_grant. */
  readonly renewal: string;
}

export interface Granted extends Issued {
  readonly refreshToken: Secret | undefined;
}

/** An access token for a grant. Rejects with TokenError. */
export async function exchange(grant: Grant, ports: OAuthPorts): Promise<Granted> {
  const server = { issuer: grant.tokenEndpoint, token_endpoint: grant.tokenEndpoint };
  const client = { client_id: grant.clientId ?? 'none' };
  let refreshToken: Secret | undefined;
  const post: Post = async (...asked) => {
    const answer = await ports.post(...asked);
    refreshToken = refreshTokenIn(answer);
    return answer;
  };
  try {
    const response = await genericTokenEndpointRequest(
      server,
      client,
      clientAuthentication(grant),
      grant.grantType,
      { ...grant.parameters },
      fetching({ ...ports, post }),
    );
    const said = await processGenericTokenEndpointResponse(server, client, response);
    return {
      token: new Secret(said.access_token),
      lifeMs: said.expires_in === undefined ? null : said.expires_in * 1000,
      refreshToken,
    };
  } catch (error) {
    throw troubleOf(error, { ...grant, refreshToken });
  }
}

export function troubleOf(
  error: unknown,
  {
    reference,
    secrets,
    renewal,
    refreshToken,
  }: Pick<Grant, 'reference' | 'secrets' | 'renewal'> & { readonly refreshToken?: Secret | undefined },
): TokenError {
  const failure = error instanceof RequestFailure ? error.failure : oauthFailure(error, secrets, renewal);
  return new TokenError(reference, { ...failure, refreshToken });
}

/** In the form: what Microsoft's and Google's pages show; Basic wants an encoding that many servers get wrong. */
export function clientAuthentication({
  clientId,
  clientSecret,
}: Pick<Grant, 'clientId' | 'clientSecret'>): ClientAuth {
  if (clientId === null) return () => {};
  return clientSecret === undefined ? None() : ClientSecretPost(clientSecret.reveal());
}

/** What every call of the library gets: our own way to send. Which URLs it may go to is decided there. */
export function fetching({ post, now, signal }: OAuthPorts) {
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (
      url: string,
      { headers, body }: { readonly headers: Record<string, string>; readonly body: unknown },
    ) => responseOf(await post(url, headers, String(body), signal), now()),
  };
}

/** What is left of an answer for the library: no challenges, which would hide the body, and only what counts. */
function responseOf(answer: TokenAnswer, nowMs: number): Response {
  const { status, retryAfter } = answer;
  if (status === 429 || status === 503) {
    const waitMs = waitOf(retryAfter, nowMs);
    const until = waitMs === undefined ? '' : `, and to come back in ${Math.ceil(waitMs / 1000)} s`;
    const words = `the token endpoint says that it is busy (${status})${until}`;
    throw new RequestFailure({ ...later('E_TOKEN_UNREACHABLE', words, waitMs), waitMs });
  }
  // Other numbers than these make no Response.
  if (status < 200 || status > 599 || (status >= 300 && status < 400)) {
    const how =
      status < 400 ? `redirects (${status}), which is not followed` : `answers with status ${status}`;
    throw new RequestFailure(later('E_TOKEN_ANSWER', `the token endpoint ${how}`));
  }
  const { body, ...rest } = inOrder(answer);
  return new Response(body.length === 0 ? null : new Uint8Array(body), {
    status: rest.status,
    headers: { 'content-type': rest.contentType },
  });
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function waitOf(retryAfter: string | undefined, nowMs: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const waitMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return waitMs > 0 ? Math.min(waitMs, LONGEST_HOLD_MS) : undefined;
}
