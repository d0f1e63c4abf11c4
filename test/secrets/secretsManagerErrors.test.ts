import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { secretsManager } from '../../lib/secrets/secretsManager.ts';
import { readFailure } from '../../lib/secrets/secretsManagerErrors.ts';
import { expectHidden, refusal } from './hiding.ts';

/** Reads one secret from a server that answers 200 with `body`, whatever it is. */
async function readFrom(body: string) {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1' });
    response.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const secrets = secretsManager({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: randomBytes(20).toString('hex') },
      now: () => 0,
      sleep: async () => {},
      random: () => 0,
    });
    return await refusal(secrets.read('secretsmanager:s', false));
  } finally {
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
}

describe('errors of the SDK are stripped', () => {
  it('an answer that breaks off within the secret, which the SDK quotes, is not shown', async () => {
    const canary = randomBytes(8).toString('hex');
    for (const body of [`{"SecretString": "${canary}`, `${canary}`, `{"SecretString": ${canary}}`]) {
      const error = await readFrom(body);
      expect(error).toMatchObject({ kind: 'later', code: 'E_SECRET_UNAVAILABLE' });
      expectHidden(error, canary);
    }
  });

  it('of any other error its name and code go on, and nothing that hangs on it', () => {
    const canary = randomBytes(8).toString('hex');
    const error = Object.assign(new Error(`connect ${canary}`), {
      code: 'ECONNRESET',
      $response: { body: canary },
      cause: new Error(canary),
    });
    const failure = readFailure(error);
    expect(failure).toMatchObject({ kind: 'later', code: 'E_SECRET_UNAVAILABLE' });
    expect(failure.words).toContain('ECONNRESET');
    expectHidden(failure, canary);
    expectHidden(failure.cause, canary);
    expectHidden(readFailure(canary), canary);
  });
});

describe('errors before any answer', () => {
  it.each([
    [new Error('Region is missing'), 'person', 'E_SECRET_CREDENTIALS'],
    [Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'person', 'E_SECRET_CERTIFICATE'],
    [Object.assign(new Error('x'), { name: 'CredentialsProviderError' }), 'person', 'E_SECRET_CREDENTIALS'],
    [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'later', 'E_SECRET_UNAVAILABLE'],
    [Object.assign(new Error('x'), { code: 'ENOTFOUND' }), 'later', 'E_SECRET_UNAVAILABLE'],
    ['not an error', 'later', 'E_SECRET_UNAVAILABLE'],
  ])('%s', (error, kind, code) => {
    expect(readFailure(error)).toMatchObject({ kind, code });
  });
});
