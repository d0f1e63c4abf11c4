import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../lib/secrets/port.ts';
import {
  SECRET_CACHE_MS,
  type SecretsManagerOptions,
  secretsManager,
} from '../../lib/secrets/secretsManager.ts';
import { AwsJsonError, LOST, startAwsJson } from '../servers/awsJson.ts';
import { startSecretVault } from '../servers/secretVault.ts';
import { secretsContract } from './contract.ts';
import { expectHidden, refusal } from './hiding.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** The adapter against `endpoint`, with a clock that a test moves and waits that are only noted down. */
function adapterOf(endpoint: string, changes: Partial<SecretsManagerOptions> = {}) {
  const clock = { ms: 1_000_000 };
  const waitsMs: number[] = [];
  const secrets = secretsManager({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: randomBytes(20).toString('hex') },
    now: () => clock.ms,
    sleep: async (ms) => {
      waitsMs.push(ms);
    },
    random: () => 0.5,
    ...changes,
  });
  return { secrets, clock, waitsMs };
}

async function vaultWith(kept: Record<string, string>) {
  const vault = await startSecretVault(kept);
  stops.push(vault.stop);
  return { vault, ...adapterOf(vault.endpoint) };
}

/** Answers every GetSecretValue with what `answer` returns or throws; the count is of requests. */
async function scripted(answer: () => unknown, changes: Partial<SecretsManagerOptions> = {}) {
  const calls = { count: 0 };
  const server = await startAwsJson({
    'secretsmanager.GetSecretValue': () => {
      calls.count += 1;
      return answer();
    },
  });
  stops.push(server.stop);
  return { calls, ...adapterOf(server.endpoint, changes) };
}

const JSON_KEYS = {
  good: ['secretsmanager:accounts#ada@example.org', 'secretsmanager:accounts#b'],
  missing: 'secretsmanager:accounts#nobody',
  scheme: 'secretsmanager',
} as const;
const WHOLE = {
  good: ['secretsmanager:one', 'secretsmanager:team/other'],
  missing: 'secretsmanager:missing',
  scheme: 'secretsmanager',
} as const;

secretsContract('Secrets Manager, accounts sharing a secret,', JSON_KEYS, async () => {
  const { vault, secrets } = await vaultWith({ accounts: '{}' });
  return {
    secrets,
    async put(reference, value) {
      const { [reference.slice(reference.indexOf('#') + 1)]: _, ...others } = JSON.parse(
        vault.secrets.get('accounts') ?? '{}',
      );
      const own = value === null ? {} : { [reference.slice(reference.indexOf('#') + 1)]: value };
      vault.secrets.set('accounts', JSON.stringify({ ...others, ...own }));
    },
  };
});

secretsContract('Secrets Manager, a secret each,', WHOLE, async () => {
  const { vault, secrets } = await vaultWith({});
  return {
    secrets,
    async put(reference, value) {
      const id = reference.slice('secretsmanager:'.length);
      if (value === null) vault.secrets.delete(id);
      else vault.secrets.set(id, value);
    },
  };
});

describe('reads of one secret', () => {
  it('share a request while it is under way, and its answer for five minutes', async () => {
    const { vault, secrets, clock } = await vaultWith({ s: '{"a": "1", "b": "2"}' });
    const keys = ['a', 'b', 'a', 'b'];
    const reads = await Promise.all(keys.map((key) => secrets.read(`secretsmanager:s#${key}`, false)));
    expect(reads.map((secret) => secret.reveal())).toEqual(['1', '2', '1', '2']);
    vault.secrets.set('s', '{"a": "new"}');
    clock.ms += SECRET_CACHE_MS - 1;
    expect((await secrets.read('secretsmanager:s#a', false)).reveal()).toBe('1');
    expect(vault.reads).toEqual(['s']);
    clock.ms += 1;
    expect((await secrets.read('secretsmanager:s#a', false)).reveal()).toBe('new');
    expect(vault.reads).toEqual(['s', 's']);
  });

  it('do not trust the cache when the clock was set back', async () => {
    const { vault, secrets, clock } = await vaultWith({ s: 'x' });
    await secrets.read('secretsmanager:s', false);
    clock.ms -= 1;
    await secrets.read('secretsmanager:s', false);
    expect(vault.reads).toHaveLength(2);
  });

  it('share a fresh request too: ten mailboxes refused at once ask once', async () => {
    const { vault, secrets } = await vaultWith({ s: 'x' });
    await secrets.read('secretsmanager:s', false);
    await Promise.all(Array.from({ length: 10 }, () => secrets.read('secretsmanager:s', true)));
    expect(vault.reads).toHaveLength(2);
  });

  it('after a failure ask again, and do not fall back on what was taken away', async () => {
    const { vault, secrets } = await vaultWith({ s: 'x' });
    await secrets.read('secretsmanager:s', false);
    vault.secrets.delete('s');
    expect((await refusal(secrets.read('secretsmanager:s', true))).code).toBe('E_SECRET_MISSING');
    expect((await refusal(secrets.read('secretsmanager:s', false))).code).toBe('E_SECRET_MISSING');
    vault.secrets.set('s', 'y');
    expect((await secrets.read('secretsmanager:s', false)).reveal()).toBe('y');
  });

  it('take an ARN, and the key after the last "#"', async () => {
    const { vault, secrets } = await vaultWith({ 'team/s': '{"a": "1"}' });
    const arn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:team/s';
    expect((await secrets.read(`secretsmanager:${arn}#a`, false)).reveal()).toBe('1');
    await refusal(secrets.read('secretsmanager:x#y#a', false));
    expect(vault.reads).toEqual([arn, 'x#y']);
  });
});

describe('a reference without an id', () => {
  it('is refused before anything is sent', async () => {
    const { vault, secrets } = await vaultWith({});
    const error = await refusal(secrets.read('secretsmanager:#a', false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_REFERENCE' });
    expect(vault.reads).toEqual([]);
  });
});

describe('a secret that is not what the reference says', () => {
  const canary = randomBytes(12).toString('hex');

  it.each([
    ['not JSON', `pass ${canary}`, 'E_SECRET_MALFORMED'],
    ['JSON that breaks off', `{"a": "${canary}`, 'E_SECRET_MALFORMED'],
    ['a JSON string', `"${canary}"`, 'E_SECRET_MALFORMED'],
    ['a JSON array', `["${canary}"]`, 'E_SECRET_MALFORMED'],
    ['null', 'null', 'E_SECRET_MALFORMED'],
    ['an object without the key', `{"b": "${canary}"}`, 'E_SECRET_MISSING'],
    ['an object that only inherits it', `{"__proto__": {"a": "${canary}"}}`, 'E_SECRET_MISSING'],
    ['a number', '{"a": 12345678}', 'E_SECRET_MALFORMED'],
    ['an object within', `{"a": {"password": "${canary}"}}`, 'E_SECRET_MALFORMED'],
    ['an empty string', '{"a": ""}', 'E_SECRET_MALFORMED'],
  ])('is refused without being shown: %s', async (_, content, code) => {
    const { secrets } = await vaultWith({ s: content });
    const error = await refusal(secrets.read('secretsmanager:s#a', false));
    expect(error).toMatchObject({ kind: 'person', code, reference: 'secretsmanager:s#a' });
    expect(error.message).toContain('secretsmanager:s#a');
    expectHidden(error, canary);
    expectHidden(error, '12345678');
    expectHidden(secrets, canary);
  });

  it('may begin with a byte order mark, as files from some editors do', async () => {
    const { secrets } = await vaultWith({ s: '\ufeff{"a": "x"}' });
    expect((await secrets.read('secretsmanager:s#a', false)).reveal()).toBe('x');
  });

  it.each(['constructor', 'toString', '__proto__'])('has no key that objects inherit: %s', async (key) => {
    const { secrets } = await vaultWith({ s: '{"a": "x"}' });
    expect((await refusal(secrets.read(`secretsmanager:s#${key}`, false))).code).toBe('E_SECRET_MISSING');
  });

  it('is refused when it is binary, and when it has no value', async () => {
    const binary = await scripted(() => ({
      Name: 's',
      SecretBinary: Buffer.from(canary).toString('base64'),
    }));
    const error = await refusal(binary.secrets.read('secretsmanager:s', false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MALFORMED' });
    expect(error.message).toContain('SecretBinary');
    expectHidden(error, canary);
    const empty = await scripted(() => ({ Name: 's' }));
    expect(await refusal(empty.secrets.read('secretsmanager:s', false))).toMatchObject({
      kind: 'person',
      code: 'E_SECRET_EMPTY',
    });
  });
});

describe('what needs a person is asked once, and says the next step', () => {
  it.each([
    ['ResourceNotFoundException', 400, 'E_SECRET_MISSING', /Create the secret/],
    ['AccessDeniedException', 400, 'E_SECRET_DENIED', /secretsmanager:GetSecretValue/],
    ['DecryptionFailure', 400, 'E_SECRET_DENIED', /kms:Decrypt/],
    ['InvalidRequestException', 400, 'E_SECRET_MISSING', /restore it/],
    ['InvalidParameterException', 400, 'E_SECRET_REFERENCE', /Correct the reference/],
    ['ExpiredTokenException', 400, 'E_SECRET_CREDENTIALS', /credentials/],
    ['UnrecognizedClientException', 403, 'E_SECRET_CREDENTIALS', /credentials/],
    ['SomethingNewException', 418, 'E_SECRET_REFUSED', /SomethingNewException: words of the service/],
  ])('%s', async (type, status, code, next) => {
    const { calls, secrets, waitsMs } = await scripted(() => {
      throw new AwsJsonError(type, 'words of the service', status);
    });
    const error = await refusal(secrets.read('secretsmanager:s#a', false));
    expect(error).toMatchObject({ kind: 'person', code });
    expect(error.message).toMatch(next);
    expect(error.message).toContain('words of the service');
    expect([calls.count, waitsMs]).toEqual([1, []]);
  });

  it('credentials that cannot be had', async () => {
    const { secrets, calls } = await scripted(() => ({}), {
      credentials: async () => {
        throw Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' });
      },
    });
    expect(await refusal(secrets.read('secretsmanager:s', false))).toMatchObject({
      kind: 'person',
      code: 'E_SECRET_CREDENTIALS',
    });
    expect(calls.count).toBe(0);
  });
});

describe('what passes is tried three times, with random waits', () => {
  const waits = [125 * 2, 250 * 2];

  it.each([
    ['ThrottlingException', 400],
    ['TooManyRequestsException', 429],
    ['InternalServiceError', 500],
    ['ServiceUnavailable', 503],
  ])('%s (%d)', async (type, status) => {
    const { calls, secrets, waitsMs } = await scripted(() => {
      throw new AwsJsonError(type, 'later', status);
    });
    expect(await refusal(secrets.read('secretsmanager:s', false))).toMatchObject({
      kind: 'later',
      code: 'E_SECRET_UNAVAILABLE',
    });
    expect([calls.count, waitsMs]).toEqual([3, waits]);
  });

  it('and is a secret if the third try has one', async () => {
    const { vault, secrets, waitsMs } = await vaultWith({ s: 'x' });
    vault.faults.push(
      { status: 500, type: 'InternalServiceError' },
      { status: 400, type: 'ThrottlingException' },
    );
    expect((await secrets.read('secretsmanager:s', false)).reveal()).toBe('x');
    expect(waitsMs).toEqual(waits);
  });

  it('a reset connection, and an endpoint where nobody listens', async () => {
    const lost = await scripted(() => {
      throw LOST;
    });
    const error = await refusal(lost.secrets.read('secretsmanager:s', false));
    expect(error.kind).toBe('later');
    expect(error.message).toContain('ECONNRESET');
    const vault = await startSecretVault();
    await vault.stop();
    const { secrets } = adapterOf(vault.endpoint);
    const refused = await refusal(secrets.read('secretsmanager:s', false));
    expect(refused.kind).toBe('later');
    expect(refused.message).toContain('ECONNREFUSED');
  });

  it('silence', async () => {
    const { calls, secrets } = await scripted(() => new Promise(() => {}), {
      limits: { requestMs: 50, tryMs: 5_000, tries: 2 },
    });
    expect(await refusal(secrets.read('secretsmanager:s', false))).toMatchObject({ kind: 'later' });
    expect(calls.count).toBe(2);
  });

  it('a try that lasts too long in all', async () => {
    const { calls, secrets } = await scripted(() => new Promise(() => {}), {
      limits: { requestMs: 60_000, tryMs: 50, tries: 2 },
    });
    expect(await refusal(secrets.read('secretsmanager:s', false))).toMatchObject({ kind: 'later' });
    expect(calls.count).toBe(2);
  });
});

it('a byte order mark in front is no part of a secret, nor of its JSON', async () => {
  const { secrets, vault } = await vaultWith({
    accounts: `\ufeff${JSON.stringify({ ada: 'one', b: 'two' })}`,
    whole: '\ufeffone',
  });
  expect((await secrets.read('secretsmanager:accounts#ada', false)).reveal()).toBe('one');
  expect((await secrets.read('secretsmanager:whole', false)).reveal()).toBe('one');
  const [one, three] = [new Secret('one'), new Secret('three')];
  expect(await secrets.save('secretsmanager:accounts#ada', three, one)).toBe(true);
  expect(await secrets.save('secretsmanager:whole', three, one)).toBe(true);
  expect(Object.fromEntries(vault.secrets)).toEqual({
    accounts: '{"ada":"three","b":"two"}',
    whole: 'three',
  });
});
