/** Access tokens against servers on loopback, with secrets in files, a clock that a test moves, and waits noted down. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { secretsByScheme } from '../../lib/secrets/byScheme.ts';
import { environmentSecrets } from '../../lib/secrets/environment.ts';
import { fileSaver, fileSecrets } from '../../lib/secrets/file.ts';
import type { TokenSource, Tokens } from '../../lib/secrets/port.ts';
import { saverByScheme } from '../../lib/secrets/saverByScheme.ts';
import type { TokenRequestOptions } from '../../lib/secrets/tokenRequests.ts';
import { accessTokens, type TokensOptions } from '../../lib/secrets/tokens.ts';
import { type AuthorizationServerOptions, authorizationServer } from '../servers/authorizationServer.ts';
import { type Answering, startTokenEndpoint } from '../servers/tokenEndpoint.ts';

export interface TokenWorld {
  readonly tokens: Tokens;
  readonly options: TokensOptions;
  readonly clock: { ms: number };
  readonly waitsMs: number[];
  readonly folder: string;
  /** A process of its own, with the same secrets. */
  another(): Tokens;
  put(name: string, secret: string): Promise<void>;
  /** What stands in the file, without its line end. */
  get(name: string): Promise<string>;
}

export async function tokenWorld(
  requests: Partial<TokenRequestOptions> = {},
  changes: Partial<TokensOptions> = {},
): Promise<TokenWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-tokens-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clock = { ms: Date.now() };
  const waitsMs: number[] = [];
  let nonces = 0;
  const options: TokensOptions = {
    secrets: secretsByScheme({ file: fileSecrets(folder), env: environmentSecrets({ SET: 'x' }) }),
    saver: saverByScheme({ file: fileSaver(folder, () => String(nonces++)) }),
    requests: { reach: 'any', ...requests },
    commands: { env: { PATH: process.env['PATH'] }, cwd: folder },
    now: () => clock.ms,
    sleep: async (ms) => {
      waitsMs.push(ms);
    },
    ...changes,
  };
  return {
    tokens: accessTokens(options),
    options,
    clock,
    waitsMs,
    folder,
    another: () => accessTokens(options),
    put: (name, secret) => writeFile(join(folder, name), `${secret}\n`),
    get: async (name) => (await readFile(join(folder, name), 'utf8')).trimEnd(),
  };
}

/** A real authorization server, with its client secret in place and no consent yet. */
export async function realWorld(
  options: AuthorizationServerOptions = {},
  changes: Partial<TokensOptions> = {},
) {
  const server = await authorizationServer(options);
  onTestFinished(() => server.stop());
  const world = await tokenWorld({ ca: server.ca }, changes);
  await world.put('client', server.clientSecret);
  const { tokenEndpoint, deviceEndpoint, scope } = server;
  const byRefresh = {
    grant: 'refresh-token',
    tokenEndpoint,
    deviceEndpoint,
    clientId: 'confidential',
    clientSecret: 'file:client',
    refreshToken: 'file:refresh',
  } as const satisfies TokenSource;
  const byClient = {
    grant: 'client-credentials',
    tokenEndpoint,
    clientId: 'confidential',
    clientSecret: 'file:client',
    scope,
  } as const satisfies TokenSource;
  return { server, ...world, byRefresh, byClient };
}

/** A scripted endpoint, with client credentials for it. */
export async function scriptedWorld(answering: Answering, requests: Partial<TokenRequestOptions> = {}) {
  const endpoint = await startTokenEndpoint(answering);
  onTestFinished(() => endpoint.stop());
  const world = await tokenWorld({ ca: endpoint.ca, ...requests });
  await world.put('client', 'a client secret of the test');
  const source = {
    grant: 'client-credentials',
    tokenEndpoint: endpoint.url,
    clientId: 'mailferry',
    clientSecret: 'file:client',
    scope: 'pop',
  } as const satisfies TokenSource;
  return { endpoint, source, ...world };
}
