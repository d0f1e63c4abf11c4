/** Device code (RFC 8628): a person allows this program access, in a browser on any machine, by a code that is shown. */
import { deviceAuthorizationRequest, processDeviceAuthorizationResponse } from 'oauth4webapi';
import { clientAuthentication, exchange, fetching, type OAuthPorts, troubleOf } from './oauthGrants.ts';
import type { RefreshToken } from './oauthRefresh.ts';
import { Secret } from './port.ts';
import { person, TokenError, unusable } from './tokenErrors.ts';

export interface DeviceCode {
  /** For the person to type. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same with the code in it, where the server has one. */
  readonly verificationUriComplete: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  readonly intervalMs: number;
  readonly deviceCode: Secret;
}

export interface DevicePorts extends OAuthPorts {
  /** Rejects once `signal` is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** RFC 8628 section 3.2: where the server names none; section 3.5: slow_down adds as much each time. */
const INTERVAL_MS = 5_000;

/** A server that says an hour is not waited for longer than a person would. */
const LONGEST_INTERVAL_MS = 60_000;

/** No code is good for longer, and no person waits for one; more may be no date. */
const LONGEST_CODE_SECONDS = 24 * 60 * 60;

/** Section 3.5: an endpoint that does not answer is asked less and less often, until the code expires. */
const PATIENT_CODES: ReadonlySet<string> = new Set(['E_TOKEN_UNREACHABLE', 'E_TOKEN_ANSWER']);

const RENEWAL = 'Run "mailferry authorize" again.';

/** Rejects with TokenError. */
export async function deviceCode(
  source: RefreshToken,
  clientSecret: Secret | undefined,
  ports: OAuthPorts,
): Promise<DeviceCode> {
  const { clientId, deviceEndpoint, scope, refreshToken: reference } = source;
  if (deviceEndpoint === undefined) {
    throw unusable(reference, 'the token has no deviceEndpoint. Add it, as the provider documents it.');
  }
  const server = { issuer: deviceEndpoint, device_authorization_endpoint: deviceEndpoint };
  const client = { client_id: clientId };
  const askedAt = ports.now();
  try {
    const response = await deviceAuthorizationRequest(
      server,
      client,
      clientAuthentication({ clientId, clientSecret }),
      scope === undefined ? {} : { scope },
      fetching(ports),
    );
    const said = await processDeviceAuthorizationResponse(server, client, response);
    return {
      userCode: said.user_code,
      verificationUri: said.verification_uri,
      verificationUriComplete: said.verification_uri_complete,
      expiresAtMs: askedAt + Math.min(said.expires_in, LONGEST_CODE_SECONDS) * 1000,
      intervalMs: Math.min((said.interval ?? 0) * 1000 || INTERVAL_MS, LONGEST_INTERVAL_MS),
      deviceCode: new Secret(said.device_code),
    };
  } catch (error) {
    throw troubleOf(error, {
      reference,
      secrets: clientSecret === undefined ? [] : [clientSecret],
      renewal: RENEWAL,
    });
  }
}

/** Waits until the person has decided. Resolves with the refresh token; rejects with TokenError, or as `sleep` does. */
export async function approval(
  source: RefreshToken,
  clientSecret: Secret | undefined,
  code: DeviceCode,
  ports: DevicePorts,
): Promise<Secret> {
  const { refreshToken: reference } = source;
  let waitMs = code.intervalMs;
  for (;;) {
    await ports.sleep(waitMs);
    if (ports.now() >= code.expiresAtMs) throw expired(reference);
    const answer = await ask(source, clientSecret, code, ports).catch((error: unknown) => pause(error));
    if (answer === 'pending') continue;
    if (answer === 'slower') waitMs += INTERVAL_MS;
    else if (answer === 'unanswered') waitMs = Math.min(waitMs * 2, LONGEST_INTERVAL_MS);
    else if (answer.refreshToken !== undefined) return answer.refreshToken;
    else throw withoutRefreshToken(reference);
  }
}

function ask(source: RefreshToken, clientSecret: Secret | undefined, code: DeviceCode, ports: OAuthPorts) {
  const { refreshToken: reference, tokenEndpoint, clientId } = source;
  return exchange(
    {
      reference,
      tokenEndpoint,
      grantType: 'urn:ietf:params:oauth:grant-type:device_code',
      parameters: { device_code: code.deviceCode.reveal() },
      clientId,
      clientSecret,
      secrets: clientSecret === undefined ? [code.deviceCode] : [code.deviceCode, clientSecret],
      renewal: RENEWAL,
    },
    ports,
  );
}

/** What is no end of the waiting; anything else is thrown on. */
function pause(error: unknown): 'pending' | 'slower' | 'unanswered' {
  if (!(error instanceof TokenError)) throw error;
  if (error.oauthError === 'authorization_pending') return 'pending';
  if (error.oauthError === 'slow_down') return 'slower';
  if (error.kind === 'later' && PATIENT_CODES.has(error.code)) return 'unanswered';
  throw error;
}

function expired(reference: string): TokenError {
  return new TokenError(reference, {
    ...person('E_TOKEN_REFUSED', `nobody entered the code in time. ${RENEWAL}`, 0),
    oauthError: 'expired_token',
  });
}

function withoutRefreshToken(reference: string): TokenError {
  const words =
    'access was allowed, but no refresh token given. Add to the scope what the provider wants for one (Microsoft: offline_access).';
  return new TokenError(reference, person('E_TOKEN_REFUSED', words, 0));
}
