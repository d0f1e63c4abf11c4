/** A Dovecot that takes every mechanism it has: passwords, tokens that it checks by itself, and client certificates. */
import { createHmac, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issue, type Pair } from './certificates.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';

const ISSUER = 'https://issuer.example.org';
const HOUR_SECONDS = 3_600;

export interface SignInDovecot {
  readonly server: Dovecot;
  /** An access token for `user`, good for an hour, or over for one. */
  token(user: string, more?: { readonly expired?: boolean; readonly issuer?: string }): string;
  /** By the authority that the server takes clients from. */
  clientCertificate(user: string): Promise<Pair>;
  /** Refused sign-ins that it has counted, of all sessions that are over. */
  refused(): Promise<number>;
  stop(): Promise<void>;
}

export async function startSignInDovecot(program: string, users: number): Promise<SignInDovecot> {
  const folder = await mkdtemp(join(tmpdir(), 'signin-'));
  const key = randomBytes(32);
  const clients = await createAuthority('Clients');
  const keys = join(folder, 'keys', 'default', 'HS256');
  // Its process that checks tokens runs as another user.
  await chmod(folder, 0o755);
  await mkdir(keys, { recursive: true });
  await writeFile(join(keys, 'default'), key.toString('base64'));
  await writeFile(join(folder, 'clients.crt'), clients.cert);
  await writeFile(
    join(folder, 'oauth.ext'),
    [
      'introspection_mode = local',
      `local_validation_key_dict = fs:posix:prefix=${folder}/keys/`,
      'username_attribute = email',
      `issuers = ${ISSUER}`,
      '',
    ].join('\n'),
  );
  const server = await startDovecot(program, { users, options: options(folder) });
  return {
    server,
    token: (email, { expired = false, issuer = ISSUER } = {}) => {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const exp = nowSeconds + (expired ? -HOUR_SECONDS : HOUR_SECONDS);
      return jwt(key, { iss: issuer, sub: email, email, iat: exp - 2 * HOUR_SECONDS, exp });
    },
    clientCertificate: (user) => issue(clients, { names: ['client'], commonName: user, purpose: 'client' }),
    async refused() {
      const counts = [...(await server.log()).matchAll(/auth failed, (\d+) attempts/g)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0);
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function options(folder: string): readonly string[] {
  return [
    'auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer external',
    'passdb {',
    '  driver = oauth2',
    '  mechanisms = xoauth2 oauthbearer',
    `  args = ${folder}/oauth.ext`,
    '}',
    'passdb {',
    '  driver = static',
    '  mechanisms = external',
    '  args = nopassword=yes',
    '}',
    `ssl_ca = <${folder}/clients.crt`,
    'ssl_require_crl = no',
    'ssl_verify_client_cert = yes',
    'auth_ssl_username_from_cert = yes',
    'ssl_cert_username_field = commonName',
  ];
}

/** RFC 7519, by HS256. */
function jwt(key: Buffer, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
