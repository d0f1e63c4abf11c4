/** AUTH (RFC 5034) as scripted servers have it: a conversation of challenges and answers, in raw base64. */

/** Yields each challenge and is given the line that came; returns whose mailbox is open, or why not. */
export type AuthConversation = Generator<
  string,
  { readonly user: string } | { readonly refused: string },
  string
>;

export interface AuthAsked {
  /** As the client wrote it. */
  readonly mechanism: string;
  /** What rode on the command; null: nothing. */
  readonly initial: string | null;
  readonly passwordOf: (user: string) => string | undefined;
}

export type ScriptedAuth = (asked: AuthAsked) => AuthConversation;

export interface BearerOptions {
  /** What the server takes, by user; `shown` is what it was shown. */
  readonly tokenOf: (user: string, shown: string) => string | undefined;
  /** Behind a token that is no good: the challenge, decoded; null: -ERR at once. */
  readonly complains: string | null;
  readonly refusal: string;
  /** QUIRK: Exchange takes nothing that rides on the command. */
  readonly onlyInTwoSteps?: true;
}

/** XOAUTH2 and OAUTHBEARER. */
export function bearerAuth({ tokenOf, complains, refusal, onlyInTwoSteps }: BearerOptions): ScriptedAuth {
  return function* ({ mechanism, initial }) {
    if (onlyInTwoSteps && initial !== null)
      return { refused: '-ERR Protocol error. Connection is closed. 10' };
    const [head = '', ...fields] = decoded(initial ?? (yield '')).split('\x01');
    const user = head.replace(mechanism === 'XOAUTH2' ? /^user=(.*)$/ : /^n,a=([^,]*),$/, '$1');
    const token = fields.find((field) => field.startsWith('auth=Bearer '))?.slice(12) ?? '';
    if (token !== '' && token === tokenOf(user, token)) return { user };
    if (complains !== null) {
      const answer = yield Buffer.from(complains).toString('base64');
      // What the client must say before it hears the outcome.
      const owed = mechanism === 'XOAUTH2' ? '' : 'AQ==';
      if (answer !== owed) return { refused: `-ERR expected ${owed || 'an empty line'}` };
    }
    return { refused: refusal };
  };
}

/** PLAIN. */
export const plainAuth: ScriptedAuth = function* ({ initial, passwordOf }) {
  const [, user = '', password = ''] = decoded(initial ?? (yield '')).split('\0');
  const known = passwordOf(user);
  return known !== undefined && known === password ? { user } : { refused: '-ERR [AUTH] wrong' };
};

function decoded(line: string): string {
  return Buffer.from(line === '=' ? '' : line, 'base64').toString();
}
