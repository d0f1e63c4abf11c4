import { complaintAbout, type Mechanism, NOTHING_TO_SAY, printable, type Step } from './mechanism.ts';

/** What a server says of a token that it refuses (RFC 7628 section 3.2.2; Google and Microsoft say it so, too). */
export interface TokenRefusal {
  /** QUIRK: an HTTP status ("401") where the RFC has a word ("invalid_token"). */
  readonly status: string;
  readonly scope: string | null;
}

export interface BearerMechanism extends Mechanism {
  /** Known once the server has refused the token and said why. */
  refusal(): TokenRefusal | null;
}

/** Google's and Microsoft's own form (developers.google.com/workspace/gmail/imap/xoauth2-protocol). */
export function xoauth2(user: string, token: string): BearerMechanism {
  return bearer('XOAUTH2', [user, token], {
    first: `user=${user}\x01auth=Bearer ${token}\x01\x01`,
    acknowledgement: NOTHING_TO_SAY,
  });
}

export interface Server {
  /** As the settings name it. */
  readonly host: string;
  readonly port: number;
}

/** RFC 7628. */
export function oauthBearer(user: string, token: string, { host, port }: Server): BearerMechanism {
  const authzid = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
  return bearer('OAUTHBEARER', [user, token], {
    first: `n,a=${authzid},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`,
    acknowledgement: { say: Buffer.of(1) },
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they separate the fields.
const FIELD_ENDS = /[\0-\x1f\x7f]/;

function complaintAboutToken(token: string): string | null {
  return /^bearer\s/i.test(token)
    ? 'the token begins with “Bearer”, which is said in front of it anyhow'
    : null;
}

interface Form {
  readonly first: string;
  /** What the server waits for before it says -ERR. */
  readonly acknowledgement: Step;
}

function bearer(
  name: string,
  [user, token]: readonly [string, string],
  { first, acknowledgement }: Form,
): BearerMechanism {
  let refusal: TokenRefusal | null = null;
  return {
    name,
    complaint: complaintAbout([user, token], FIELD_ENDS) ?? complaintAboutToken(token),
    first: Buffer.from(first),
    takesPlainWords: true,
    /** QUIRK: some say it in several lines, each of which waits to be acknowledged. */
    answer(challenge: Buffer): Step {
      refusal ??= refusalIn(challenge);
      return acknowledgement;
    },
    doubt: () => (refusal === null ? null : 'the server had refused the token before it said +OK'),
    refusal: () => refusal,
  };
}

/** Whatever it is, a challenge behind the token says that it was refused. */
function refusalIn(challenge: Buffer): TokenRefusal {
  try {
    const said: unknown = JSON.parse(challenge.toString());
    const { status, scope } = said as { status?: unknown; scope?: unknown };
    return { status: wordOf(status) ?? 'unknown', scope: wordOf(scope) };
  } catch {
    return { status: 'unknown', scope: null };
  }
}

function wordOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return null;
  return printable(value, 200);
}
