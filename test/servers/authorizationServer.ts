/**
 * A real authorization server on loopback (oidc-provider), https with a certificate of its own making: refresh tokens
 * that rotate, client credentials, device codes, JWT access tokens, introspection. Its sign-in page lets in whoever
 * asks, as one account.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, type JWK } from 'jose';
import { type Adapter, type AdapterPayload, type Configuration, Provider } from 'oidc-provider';
import { loopbackPair } from './certificates.ts';

export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint: string;
  readonly introspectionEndpoint: string;
  /** What its access tokens are for. */
  readonly audience: string;
  readonly scope: string;
  /** PEM: what vouches for its certificate. */
  readonly ca: string;
  /** Of the client "confidential", and of "limited", which may ask for nothing but device codes; "public" has none. */
  readonly clientSecret: string;
  /** Requests to the token endpoint, in order: the form's grant_type, and the status of the answer. */
  readonly requests: readonly { readonly grantType: string; readonly status: number }[];
  /** Whether each access token that it was asked about was good, in order (RFC 7662). */
  readonly introspections: readonly boolean[];
  /** The public halves of its keys, newest first. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
  /** A refresh token of a consent that was given earlier. */
  consented(clientId: 'confidential' | 'public', accountId: string): Promise<string>;
  /** What a person does at the verification URI with the code. */
  decide(userCode: string, decision: 'allow' | 'deny'): Promise<void>;
  /** Withdraws every consent; or the access tokens alone. */
  revoke(what?: 'consents' | 'access tokens'): Promise<void>;
  /** Every token and code is out of its time. */
  expire(): void;
  /** What every access token says from now on, over what it would; null: what it would. */
  claim(claims: Readonly<Record<string, string | null>>): void;
  /** Signs with a new key from now on. */
  rotateKeys(): Promise<void>;
  stop(): Promise<void>;
}

const AUDIENCE = 'https://mail.example.org';
const SCOPE = 'pop';
const INTROSPECTION = '/token/introspection';
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

export interface AuthorizationServerOptions {
  /** Of access tokens; default an hour. */
  readonly lifeSeconds?: number;
  /**
   * Whether each refresh gives another refresh token; default true: and a used one ends the consent. 'gently': it stays
   * good, as at Microsoft.
   */
  readonly rotates?: boolean | 'gently';
  /** Who signs in at its pages. */
  readonly account?: string;
  /** Default: signed, with all that they say; or names that only introspection tells something of. */
  readonly accessTokens?: 'jwt' | 'opaque';
}

export async function authorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  const { cert, key, ca } = await loopbackPair();
  const clientSecret = randomBytes(24).toString('hex');
  const kept = new Kept(options.rotates !== 'gently');
  const claims = new Map<string, string>();
  const { account = 'ada@example.org' } = options;
  const keys: JWK[] = [await signingKey()];
  const requests: { grantType: string; status: number }[] = [];
  const introspections: boolean[] = [];

  const server = createServer({ cert, key });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const make = () => provider(issuer, { keys: [...keys], kept, claims, clientSecret, options });
  let current = make();
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    const at = new URL(incoming.url ?? '/', issuer).pathname;
    if (at.startsWith('/interaction/')) void signInAndConsent(current, account, incoming, response);
    else current.callback()(incoming, response);
  });
  const listen = (to: Provider) =>
    to.use(async (context, next) => {
      await next();
      if (context.path === INTROSPECTION) introspections.push((context.body as { active: boolean }).active);
      if (context.path !== '/token') return;
      const { params } = context['oidc'] as { params?: { grant_type?: string } };
      requests.push({ grantType: params?.grant_type ?? '', status: context.status });
    });
  listen(current);
  return {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    deviceEndpoint: `${issuer}/device/auth`,
    introspectionEndpoint: `${issuer}${INTROSPECTION}`,
    audience: AUDIENCE,
    scope: SCOPE,
    ca,
    clientSecret,
    requests,
    introspections,
    jwks: async () => JSON.parse((await browse(issuer, ca).get('/jwks')).body),
    consented: (clientId, accountId) => consent(current, clientId, accountId),
    decide: (userCode, decision) => decideInBrowser(issuer, ca, userCode, decision),
    async revoke(what = 'consents') {
      kept.clear(what === 'consents' ? null : 'AccessToken');
    },
    expire() {
      kept.expire();
    },
    claim(more) {
      for (const [name, value] of Object.entries(more)) {
        if (value === null) claims.delete(name);
        else claims.set(name, value);
      }
    },
    async rotateKeys() {
      keys.unshift(await signingKey());
      current = make();
      listen(current);
    },
    async stop() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

interface Making {
  readonly keys: JWK[];
  readonly kept: Kept;
  readonly claims: ReadonlyMap<string, string>;
  readonly clientSecret: string;
  readonly options: AuthorizationServerOptions;
}

function provider(issuer: string, { keys, kept, claims, clientSecret, options }: Making): Provider {
  const { lifeSeconds = 3600, rotates = true, accessTokens = 'jwt' } = options;
  const client = { redirect_uris: [], response_types: [], id_token_signed_response_alg: 'ES256' as const };
  const configuration: Configuration = {
    adapter: (name) => kept.adapter(name),
    jwks: { keys },
    clients: [
      {
        ...client,
        client_id: 'confidential',
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['refresh_token', 'client_credentials', DEVICE_CODE],
        scope: `openid offline_access ${SCOPE}`,
      },
      {
        ...client,
        client_id: 'limited',
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: [DEVICE_CODE],
      },
      {
        ...client,
        client_id: 'public',
        token_endpoint_auth_method: 'none',
        grant_types: ['refresh_token', DEVICE_CODE],
      },
    ],
    // Known, and allowed to nobody: imap.
    scopes: ['openid', 'offline_access', SCOPE, 'imap'],
    rotateRefreshToken: rotates !== false,
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: lifeSeconds,
      ClientCredentials: lifeSeconds,
      DeviceCode: 600,
      Grant: 90 * 24 * 3600,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 90 * 24 * 3600,
      Session: 600,
    },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    findAccount: async (_, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
    extraTokenClaims: async (_, token) =>
      'accountId' in token ? { email: String(token.accountId) } : undefined,
    formats: {
      customizers: {
        async jwt(_, __, token) {
          // RFC 9068 says at+jwt; Microsoft says this, and Dovecot 2.3 takes nothing else.
          token.header = { ...token.header, typ: 'JWT' };
          Object.assign(token.payload, Object.fromEntries(claims));
        },
      },
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: page,
        userCodeConfirmSource: page,
        successSource: (context) => page(context, 'Allowed.'),
      },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => AUDIENCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: SCOPE,
          audience: AUDIENCE,
          accessTokenFormat: accessTokens,
          ...(accessTokens === 'jwt' ? { jwt: { sign: { alg: 'ES256' as const } } } : {}),
          accessTokenTTL: lifeSeconds,
        }),
      },
    },
  };
  return new Provider(issuer, configuration);
}

/** Nobody looks at it. */
async function page(context: { body: unknown }, form: string): Promise<void> {
  context.body = form;
}

async function signingKey(): Promise<JWK> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    ...(await exportJWK(privateKey)),
    kid: randomBytes(8).toString('hex'),
    alg: 'ES256',
    use: 'sig',
  };
}

async function consent(current: Provider, clientId: string, accountId: string): Promise<string> {
  const client = await current.Client.find(clientId);
  if (client === undefined) throw new Error(`no client ${clientId}`);
  const grant = new current.Grant({ accountId, clientId });
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(AUDIENCE, SCOPE);
  const token = new current.RefreshToken({
    accountId,
    client,
    grantId: await grant.save(),
    gty: DEVICE_CODE,
    scope: `offline_access ${SCOPE}`,
    resource: AUDIENCE,
    claims: {},
    authTime: Math.floor(Date.now() / 1000),
  });
  return token.save();
}

/** Both pages that a person would see, passed at once. */
async function signInAndConsent(
  current: Provider,
  accountId: string,
  incoming: IncomingMessage,
  response: ServerResponse,
) {
  const { prompt, params, session } = await current.interactionDetails(incoming, response);
  if (prompt.name === 'login') {
    const result = { login: { accountId } };
    return current.interactionFinished(incoming, response, result);
  }
  const grant = new current.Grant({
    accountId: session?.accountId ?? '',
    clientId: String(params['client_id']),
  });
  grant.addOIDCScope(`openid offline_access ${SCOPE}`);
  grant.addResourceScope(AUDIENCE, SCOPE);
  const result = { consent: { grantId: await grant.save() } };
  return current.interactionFinished(incoming, response, result, { mergeWithLastSubmission: true });
}

/** The pages of the verification URI, driven as a browser does: cookies kept, redirects followed, forms sent. */
async function decideInBrowser(issuer: string, ca: string, userCode: string, decision: 'allow' | 'deny') {
  const browser = browse(issuer, ca);
  const form = await browser.get('/device');
  const confirmation = await browser.post('/device', { xsrf: xsrfIn(form.body), user_code: userCode });
  const answer = decision === 'allow' ? { confirm: 'yes' } : { abort: 'yes' };
  const last = await browser.post('/device', {
    xsrf: xsrfIn(confirmation.body),
    user_code: userCode,
    ...answer,
  });
  if (last.status !== 200) throw new Error(`the device page ended with ${last.status}: ${last.body}`);
}

function xsrfIn(page: string): string {
  const [, value] = /name="xsrf" value="([^"]+)"/.exec(page) ?? [];
  if (value === undefined) throw new Error(`no form in: ${page}`);
  return value;
}

interface Page {
  readonly status: number;
  readonly body: string;
}

function browse(issuer: string, ca: string) {
  const cookies = new Map<string, string>();
  const once_ = async (method: string, url: URL, form: string | undefined) => {
    const sent = request(url, {
      method,
      ca,
      agent: false,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    });
    sent.end(form);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return { answer, body: await text(answer) };
  };
  const go = async (method: string, path: string, form?: Readonly<Record<string, string>>): Promise<Page> => {
    let url = new URL(path, issuer);
    let { answer, body } = await once_(method, url, form && String(new URLSearchParams({ ...form })));
    for (let hops = 0; answer.headers.location !== undefined && hops < 10; hops += 1) {
      url = new URL(answer.headers.location, url);
      ({ answer, body } = await once_('GET', url, undefined));
    }
    return { status: answer.statusCode ?? 0, body };
  };
  return {
    get: (path: string) => go('GET', path),
    post: (path: string, form: Readonly<Record<string, string>>) => go('POST', path, form),
  };
}

/** All that the server remembers, over every change of its keys. */
class Kept {
  readonly #models = new Map<string, Map<string, AdapterPayload>>();
  readonly #isStrict: boolean;

  /** Whether what was used is used up. */
  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  /** Of one kind, or of all. */
  clear(kind: string | null): void {
    for (const [name, model] of this.#models) if (kind === null || name === kind) model.clear();
  }

  expire(): void {
    for (const model of this.#models.values()) {
      for (const payload of model.values()) payload.exp = 1;
    }
  }

  adapter(name: string): Adapter {
    const model = this.#models.get(name) ?? new Map<string, AdapterPayload>();
    this.#models.set(name, model);
    const first = async (fits: (payload: AdapterPayload) => boolean) => [...model.values()].find(fits);
    return {
      async upsert(id, payload) {
        model.set(id, { ...payload });
      },
      find: async (id) => model.get(id),
      findByUid: (uid) => first((payload) => payload.uid === uid),
      findByUserCode: (userCode) => first((payload) => payload.userCode === userCode),
      async destroy(id) {
        model.delete(id);
      },
      async revokeByGrantId(grantId) {
        for (const [id, payload] of model) if (payload.grantId === grantId) model.delete(id);
      },
      consume: async (id) => {
        const payload = model.get(id);
        if (payload !== undefined && (this.#isStrict || name !== 'RefreshToken'))
          payload.consumed = Math.floor(Date.now() / 1000);
      },
    };
  }
}
