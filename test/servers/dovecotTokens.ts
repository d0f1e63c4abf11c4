/**
 * A Dovecot behind authorization servers: it takes tokens that are signed by one of them, for the mail server and for POP;
 * or those that the one which gave them says are good.
 */
import { createPublicKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthorizationServer } from './authorizationServer.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';

interface Tokens {
  readonly server: Dovecot;
  /** Why it refused tokens, in its own words, a line each. */
  refusals(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface TokenDovecot extends Tokens {
  /** Puts in place the keys that they sign with by now. */
  learnKeys(): Promise<void>;
}

/** Its users are u1, u2, …, which is what a token has to call them in `email`. */
export async function startTokenDovecot(
  program: string,
  users: number,
  authorizations: readonly [AuthorizationServer, ...AuthorizationServer[]],
): Promise<TokenDovecot> {
  const [{ audience, scope }] = authorizations;
  const folder = await newFolder();
  const keys = join(folder, 'keys', 'default', 'ES256');
  await mkdir(keys, { recursive: true });
  const learnKeys = async () => {
    const known = await Promise.all(authorizations.map((each) => each.jwks()));
    for (const key of known.flatMap(({ keys: some }) => some)) {
      const pem = createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      await writeFile(join(keys, key.kid ?? 'default'), pem);
    }
  };
  await learnKeys();
  const started = await startWith(program, users, folder, [
    'introspection_mode = local',
    `local_validation_key_dict = fs:posix:prefix=${folder}/keys/`,
    `issuers = ${authorizations.map(({ issuer }) => issuer).join(' ')}`,
    // What it calls so is compared with "aud".
    `client_id = ${audience}`,
    `scope = ${scope}`,
  ]);
  return { ...started, learnKeys };
}

/** It asks about each token that it is shown (RFC 7662), over TLS. */
export async function startAskingDovecot(
  program: string,
  users: number,
  authorization: AuthorizationServer,
): Promise<Tokens> {
  const { introspectionEndpoint, clientSecret, scope, ca } = authorization;
  const folder = await newFolder();
  await writeFile(join(folder, 'issuer.pem'), ca);
  return startWith(program, users, folder, [
    'introspection_mode = post',
    `introspection_url = ${introspectionEndpoint}`,
    `tls_ca_cert_file = ${folder}/issuer.pem`,
    'client_id = confidential',
    `client_secret = ${clientSecret}`,
    'active_attribute = active',
    'active_value = true',
    `scope = ${scope}`,
  ]);
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  // Its process that checks tokens runs as another user.
  await chmod(folder, 0o755);
  return folder;
}

async function startWith(
  program: string,
  users: number,
  folder: string,
  settings: readonly string[],
): Promise<Tokens> {
  await writeFile(join(folder, 'oauth.ext'), [...settings, 'username_attribute = email', ''].join('\n'));
  const options = [
    'auth_mechanisms = xoauth2 oauthbearer',
    'auth_verbose = yes',
    'passdb {',
    '  driver = oauth2',
    '  mechanisms = xoauth2 oauthbearer',
    `  args = ${folder}/oauth.ext`,
    '}',
  ];
  const server = await startDovecot(program, { users, options });
  return {
    server,
    async refusals() {
      return (await server.log()).split('\n').filter((line) => /oauth2.*failed/.test(line));
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
