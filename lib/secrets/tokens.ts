/** Access tokens from wherever the settings say (Tokens in port.ts): each source's way to ask, behind one cache. */
import { byClientCredentials } from './oauthClientCredentials.ts';
import { RefreshTokens } from './oauthRefresh.ts';
import { byServiceAccount } from './oauthServiceAccount.ts';
import { readLine, type SecretSaver, type Secrets, type TokenSource, type Tokens } from './port.ts';
import { type Asking, TokenCache } from './tokenCache.ts';
import { byCommand, type CommandHost } from './tokenCommand.ts';
import { unusable } from './tokenErrors.ts';
import { type TokenRequestOptions, tokenRequests } from './tokenRequests.ts';

export interface TokensOptions {
  readonly secrets: Secrets;
  readonly saver: SecretSaver;
  readonly requests: TokenRequestOptions;
  /** Where programs are run that print tokens; null: nowhere. */
  readonly commands: CommandHost | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Nothing is asked before the first read. One per process, so that mailboxes share what they ask for. */
export function accessTokens({ secrets, saver, requests, commands, now, sleep }: TokensOptions): Tokens {
  const cache = new TokenCache(now);
  const ports = { secrets, saver, post: tokenRequests(requests), now, sleep };
  const lines: Secrets = {
    read: (reference, fresh) => readLine(secrets, reference, { fresh, what: 'secret' }),
  };
  const refreshTokens = new RefreshTokens({ ...ports, secrets: lines });
  const askingOf = (source: Exclude<TokenSource, { from: string }>): Asking => {
    if ('command' in source) {
      if (commands !== null) return byCommand(source.command, commands);
      throw unusable('token.command', 'no program is run here. Use a grant, or a reference (from).');
    }
    switch (source.grant) {
      case 'refresh-token':
        return refreshTokens.of(source);
      case 'client-credentials':
        return byClientCredentials(source, { ...ports, secrets: lines });
      case 'service-account':
        return byServiceAccount(source, ports);
    }
  };
  return {
    // Kept fresh by somebody else, so that a cache of ours would only make it old.
    read: async (source, fresh) =>
      'from' in source ? lines.read(source.from, fresh) : cache.read(keyOf(source), fresh, askingOf(source)),
  };
}

/** Equal for equal sources, in whatever order their settings stand. */
function keyOf(source: TokenSource): string {
  const members = Object.entries(source).filter(([, value]) => value !== undefined);
  return JSON.stringify(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
