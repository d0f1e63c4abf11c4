/**
 * An endpoint's answer as RFC 6749 section 5 and RFC 8628 section 3.2 have it. The library takes no other; endpoints give
 * others, and a rotated refresh token in one that is turned away is lost, and the consent with it. What is not needed is
 * not judged, null is nothing, and what a token says of itself may be missing.
 */
import { Secret } from './port.ts';
import type { TokenAnswer } from './tokenRequests.ts';

type Members = Readonly<Record<string, unknown>>;

/** Of those that are read: what counts; undefined: as if it were not there. */
const READ: Readonly<Record<string, (value: unknown) => unknown>> = {
  refresh_token: nonEmpty,
  expires_in: (value) => numberFrom(value, 0),
  error_description: nonEmpty,
  verification_uri_complete: nonEmpty,
  interval: (value) => numberFrom(value, 1),
  // Nobody here is signed in by it; its issuer, which the library would compare, is no setting of ours.
  id_token: () => undefined,
  // QUIRK: a list, at Twitch.
  scope: () => undefined,
};

/** What is no JSON object is left as it came. */
export function inOrder({ status, contentType, body }: TokenAnswer): Omit<TokenAnswer, 'retryAfter'> {
  const said = objectIn(body);
  if (said === null) return { status, contentType, body };
  const members = Object.entries(said).map(([name, value]) => [name, read(name, value)] as const);
  const counts: Members = {
    ...implied(said),
    ...Object.fromEntries(members.filter(([, value]) => value !== undefined)),
  };
  // QUIRK: GitHub and others refuse with 200.
  const isRefusal = nonEmpty(counts['error']) !== undefined && counts['access_token'] === undefined;
  return {
    status: isRefusal && status < 400 ? 400 : status,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(counts)),
  };
}

/** Whatever else is in the answer. */
export function refreshTokenIn({ status, body }: TokenAnswer): Secret | undefined {
  const given = status === 200 ? nonEmpty(objectIn(body)?.['refresh_token']) : undefined;
  return given === undefined ? undefined : new Secret(given);
}

/** QUIRK: the type is left out where there is but one, and Google's first device flow had a "verification_url". */
function implied(said: Members): Members {
  const { access_token: token, verification_url: url } = said;
  return {
    ...(nonEmpty(token) === undefined ? {} : { token_type: 'Bearer' }),
    ...(nonEmpty(url) === undefined ? {} : { verification_uri: url }),
  };
}

function read(name: string, value: unknown): unknown {
  const reading = Object.hasOwn(READ, name) ? READ[name] : undefined;
  return reading === undefined ? (value ?? undefined) : reading(value);
}

/** A byte order mark, which is no JSON, goes with the decoding. */
function objectIn(body: Buffer): Members | null {
  try {
    const said: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? { ...said } : null;
  } catch {
    return null;
  }
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** QUIRK: numbers as text. */
function numberFrom(value: unknown, least: number): number | undefined {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= least ? number : undefined;
}
