/** A Dovecot behind authorization servers: it takes tokens that are signed by one of them, for the mail server and for POP. */
import { createPublicKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthorizationServer } from './authorizationServer.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';

export interface TokenDovecot {
  readonly server: Dovecot;
  /** Puts in place the keys that they sign with by now. */
  learnKeys(): Promise<void>;
  /** Why it refused tokens, in its own words, a line each. */
  refusals(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Its users are u1, u2, …, which is what a token has to call them in `email`. */
export async function startTokenDovecot(
  program: string,
  users: number,
  authorizations: readonly [AuthorizationServer, ...AuthorizationServer[]],
): Promise<TokenDovecot> {
  const [{ audience, scope }] = authorizations;
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  const keys = join(folder, 'keys', 'default', 'ES256');
  // Its process that checks tokens runs as another user.
  await chmod(folder, 0o755);
  await mkdir(keys, { recursive: true });
  const learnKeys = async () => {
    const known = await Promise.all(authorizations.map((each) => each.jwks()));
    for (const key of known.flatMap(({ keys: some }) => some)) {
      const pem = createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      await writeFile(join(keys, key.kid ?? 'default'), pem);
    }
  };
  await learnKeys();
  await writeFile(
    join(folder, 'oauth.ext'),
    [
      'introspection_mode = local',
      `local_validation_key_dict = fs:posix:prefix=${folder}/keys/`,
      'username_attribute = email',
      `issuers = ${authorizations.map(({ issuer }) => issuer).join(' ')}`,
      // What it calls so is compared with "aud".
      `client_id = ${audience}`,
      `scope = ${scope}`,
      '',
    ].join('\n'),
  );
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
    learnKeys,
    async refusals() {
      return (await server.log()).split('\n').filter((line) => /oauth2.*failed/.test(line));
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
