/**
 * Secrets in AWS Secrets Manager, `secretsmanager:ID#KEY` or `secretsmanager:ID`. ID is a name or an ARN;
 * neither can hold "#". One secret is a JSON object with many accounts: a secret for each mailbox would cost
 * more than everything else together. What the answers mean is in secretsManagerErrors.ts.
 */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Secret, SecretError, type SecretSaver, type Secrets } from './port.ts';
import { notAReference, targetOf } from './references.ts';
import { BINARY, EMPTY, type Failure, readFailure } from './secretsManagerErrors.ts';
import { accountsIn, NO_OBJECT, saveMember, type Version } from './secretsManagerSave.ts';

export interface SecretsManagerOptions {
  /** Default: the SDK's chain (environment, files). */
  readonly region?: string;
  /** Of a stand-in or a private endpoint: an http or https URL. */
  readonly endpoint?: string;
  /** Default: the SDK's chain (environment, files, role). */
  readonly credentials?: NonNullable<SecretsManagerClientConfig['credentials']>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits?: Partial<SecretsManagerLimits>;
}

/** Each is a bound that the SDK does not set by itself. */
export interface SecretsManagerLimits {
  /** Reaching the service and TLS. Within a region this takes milliseconds. */
  readonly connectMs: number;
  /** One try, up to its answer. */
  readonly requestMs: number;
  /** One try, body included, should an answer drip. */
  readonly tryMs: number;
  /** Throttling passes in a second or two; longer trouble is for the next run. */
  readonly tries: number;
  /** Back-off before the second try at most, doubled for each further one; the wait is random below it. */
  readonly backOffMs: number;
}

const LIMITS: SecretsManagerLimits = {
  connectMs: 3_000,
  requestMs: 5_000,
  tryMs: 8_000,
  tries: 3,
  backOffMs: 500,
};

/** A rotated secret is seen after this at the latest, and at once after a refused sign-in. */
export const SECRET_CACHE_MS = 5 * 60_000;

/** Secrets Manager. Nothing is sent before the first read. */
export function secretsManager(options: SecretsManagerOptions): Secrets & SecretSaver {
  return new SecretsManager(options);
}

class SecretsManager implements Secrets, SecretSaver {
  readonly #client: SecretsManagerClient;
  readonly #options: SecretsManagerOptions;
  readonly #limits: SecretsManagerLimits;
  /** By id. The ids are those of the settings, so there are no more entries than mailboxes. */
  readonly #cache = new Map<string, { readonly whole: Secret; readonly readAt: number }>();
  readonly #inFlight = new Map<string, Promise<Secret | Failure>>();
  /** By id: who saves in this process does so in turn. */
  readonly #saving = new Map<string, Promise<unknown>>();

  constructor(options: SecretsManagerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#client = makeClient(options, this.#limits);
  }

  async read(reference: string, fresh: boolean): Promise<Secret> {
    const { id, key } = partsOf(reference);
    const whole = (fresh ? undefined : this.#cached(id)) ?? (await this.#load(id));
    if (!(whole instanceof Secret)) throw failed(reference, whole);
    return key === null ? whole : member(whole, key, reference);
  }

  /** Whether the role may put is told by putting alone. */
  async prove(reference: string): Promise<void> {
    partsOf(reference);
  }

  async save(reference: string, secret: Secret, instead: Secret | null): Promise<boolean> {
    const { id, key } = partsOf(reference);
    const saving = {
      read: () => this.#version(id),
      put: (whole: string, token: string) => this.#put(id, whole, token),
      sleep: this.#options.sleep,
    };
    const start = () => saveMember(saving, { key, secret, instead });
    const turn = (this.#saving.get(id) ?? Promise.resolve()).then(start, start);
    this.#saving.set(id, turn);
    const saved = await turn;
    this.#cache.delete(id);
    if (typeof saved !== 'boolean') throw failed(reference, saved);
    return saved;
  }

  #cached(id: string): Secret | undefined {
    const entry = this.#cache.get(id);
    if (entry === undefined) return undefined;
    // A clock set back makes the age unknown.
    const ageMs = this.#options.now() - entry.readAt;
    return ageMs >= 0 && ageMs < SECRET_CACHE_MS ? entry.whole : undefined;
  }

  /**
   * One request for all who ask at once. A fresh read joins it too: when ten mailboxes of one secret are refused
   * together, it is newer than what any of them holds.
   */
  #load(id: string): Promise<Secret | Failure> {
    const running = this.#inFlight.get(id);
    if (running) return running;
    const started = this.#fetch(id).finally(() => this.#inFlight.delete(id));
    this.#inFlight.set(id, started);
    return started;
  }

  async #fetch(id: string): Promise<Secret | Failure> {
    // Age counts from before the request: what comes back may be as old as that.
    const readAt = this.#options.now();
    for (let tries = 1; ; tries += 1) {
      const whole = await this.#try(id);
      if (whole instanceof Secret) {
        this.#cache.set(id, { whole, readAt });
        return whole;
      }
      if (whole.kind === 'person' || tries >= this.#limits.tries) {
        // What was taken away must not live on in the cache.
        if (whole.kind === 'person') this.#cache.delete(id);
        return whole;
      }
      await this.#options.sleep(this.#options.random() * this.#limits.backOffMs * 2 ** (tries - 1));
    }
  }

  async #try(id: string): Promise<Secret | Failure> {
    const version = await this.#version(id);
    return 'whole' in version ? version.whole : version;
  }

  async #version(id: string): Promise<Version | Failure> {
    try {
      const answer = await this.#client.send(new GetSecretValueCommand({ SecretId: id }), {
        abortSignal: AbortSignal.timeout(this.#limits.tryMs),
      });
      const { SecretString: text, VersionId: versionId = '' } = answer;
      // QUIRK: a file that Windows wrote begins with a byte order mark, which is neither JSON nor of the secret.
      const whole = text?.replace(/^\ufeff/, '');
      if (whole) return { whole: new Secret(whole), versionId };
      return answer.SecretBinary ? BINARY : EMPTY;
    } catch (error) {
      return readFailure(error);
    }
  }

  async #put(id: string, whole: string, token: string): Promise<'put' | 'conflict' | Failure> {
    try {
      await this.#client.send(
        new PutSecretValueCommand({ SecretId: id, SecretString: whole, ClientRequestToken: token }),
        { abortSignal: AbortSignal.timeout(this.#limits.tryMs) },
      );
      return 'put';
    } catch (error) {
      return error instanceof ResourceExistsException ? 'conflict' : readFailure(error, 'PutSecretValue');
    }
  }
}

/** The key is behind the last "#"; without one it is null. */
function partsOf(reference: string): { readonly id: string; readonly key: string | null } {
  const target = targetOf(reference, 'secretsmanager');
  const hash = target.lastIndexOf('#');
  const id = hash === -1 ? target : target.slice(0, hash);
  if (id.trim() === '') throw notAReference();
  return { id, key: hash === -1 ? null : target.slice(hash + 1) };
}

/** The string under `key`. */
function member(whole: Secret, key: string, reference: string): Secret {
  const accounts = accountsIn(whole);
  if (accounts === undefined) throw failed(reference, NO_OBJECT);
  if (!Object.hasOwn(accounts, key)) {
    throw failed(reference, {
      kind: 'person',
      code: 'E_SECRET_MISSING',
      words: `the secret has no key ${JSON.stringify(key)}. Add it to the secret's JSON, or correct the reference.`,
    });
  }
  const value = accounts[key];
  if (typeof value === 'string' && value !== '') return new Secret(value);
  throw malformed(
    reference,
    `the key ${JSON.stringify(key)} does not hold a string, or an empty one. Correct the secret.`,
  );
}

function malformed(reference: string, words: string): SecretError {
  return failed(reference, { kind: 'person', code: 'E_SECRET_MALFORMED', words });
}

function failed(reference: string, { kind, code, words, cause }: Failure): SecretError {
  return new SecretError(
    `${reference}: ${words}`,
    { kind, code, reference },
    cause === undefined ? {} : { cause },
  );
}

function makeClient(options: SecretsManagerOptions, limits: SecretsManagerLimits): SecretsManagerClient {
  return new SecretsManagerClient({
    // Our own tries use the clock and randomness that are passed in.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
    }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
}
