import { exchange, type OAuthPorts } from './oauthGrants.ts';
import type { Secret, Secrets, TokenSource } from './port.ts';
import type { Asking, Issued } from './tokenCache.ts';

export type ClientCredentials = Extract<TokenSource, { grant: 'client-credentials' }>;

const RENEWAL = 'Check the client and its rights at the provider.';

/** RFC 6749 section 4.4: the application signs in as itself (Microsoft: app-only). */
export function byClientCredentials(
  source: ClientCredentials,
  ports: OAuthPorts & { readonly secrets: Secrets },
): Asking {
  return {
    secrets: async (fresh) => [await ports.secrets.read(source.clientSecret, fresh)],
    ask: ([clientSecret]) => ask(source, clientSecret, ports),
  };
}

function ask(
  source: ClientCredentials,
  clientSecret: Secret | undefined,
  ports: OAuthPorts,
): Promise<Issued> {
  const { clientSecret: reference, tokenEndpoint, clientId, scope } = source;
  return exchange(
    {
      reference,
      tokenEndpoint,
      grantType: 'client_credentials',
      parameters: { scope },
      clientId,
      clientSecret,
      secrets: clientSecret === undefined ? [] : [clientSecret],
      renewal: RENEWAL,
    },
    ports,
  );
}
