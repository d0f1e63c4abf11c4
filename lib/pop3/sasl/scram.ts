import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { type Mechanism, NOTHING_TO_SAY, printable, type Step, unexpected } from './mechanism.ts';

const derived = promisify(pbkdf2);

/** RFC 7677 section 4; fewer would let whoever holds the server's data guess passwords too fast. */
const LEAST_ITERATIONS = 4_096;
/** A second or two of one core; a server that wants more would keep us busy rather than safe. */
const MOST_ITERATIONS = 2_000_000;

export interface ScramHash {
  readonly name: 'SCRAM-SHA-1' | 'SCRAM-SHA-256';
  readonly digest: 'sha1' | 'sha256';
}

export const SCRAM_SHA_1: ScramHash = { name: 'SCRAM-SHA-1', digest: 'sha1' };
export const SCRAM_SHA_256: ScramHash = { name: 'SCRAM-SHA-256', digest: 'sha256' };

/** What binds the exchange to its TLS session, so that nobody in between can pass it on (RFC 5929, 9266). */
export interface ChannelBinding {
  readonly type: 'tls-server-end-point' | 'tls-exporter';
  readonly data: Buffer;
}

/**
 * null: none. 'not offered': we could, and the server announced no -PLUS form: if somebody took that away on the way,
 * the server finds out (RFC 5802 section 6).
 */
export type Binding = ChannelBinding | 'not offered' | null;

export interface ScramOptions {
  /** Both prepared by SASLprep (RFC 4013). */
  readonly user: string;
  readonly password: string;
  /** Fresh, printable, without commas; 18 random bytes in base64 will do. */
  readonly nonce: string;
  readonly binding: Binding;
}

/** RFC 5802 and 7677. The password is never sent, and the server proves that it knows it, too. */
export class Scram implements Mechanism {
  readonly name: string;
  readonly complaint = null;
  readonly #hash: ScramHash;
  readonly #options: ScramOptions;
  /** What the server must prove; null before its salt has come. */
  #expected: Buffer | null = null;
  #isProved = false;
  #refusal: string | null = null;

  constructor(hash: ScramHash, options: ScramOptions) {
    this.#hash = hash;
    this.#options = options;
    this.name = typeof options.binding === 'object' && options.binding ? `${hash.name}-PLUS` : hash.name;
  }

  get first(): Buffer {
    return Buffer.from(this.#header + this.#bare);
  }

  async answer(challenge: Buffer): Promise<Step> {
    if (this.#isProved || this.#refusal !== null) return unexpected();
    const text = challenge.toString();
    // QUIRK: it belongs into the last message, and comes wherever the server has lost its trust. -ERR is still owed.
    if (text.startsWith('e=')) {
      this.#refusal = printable(text.slice(2), 100);
      return NOTHING_TO_SAY;
    }
    return this.#expected === null ? this.#prove(text) : this.#verify(text);
  }

  /** Known once the server has refused, and said why: "invalid-proof", "channel-bindings-dont-match". */
  refusal(): string | null {
    return this.#refusal;
  }

  /** QUIRK: some put their proof behind +OK, where POP3 has no place for it (RFC 5034 section 4). It is as good there. */
  doubt(success = ''): string | null {
    if (!this.#isProved && this.#expected !== null && this.#refusal === null)
      this.#verify(Buffer.from(success.trim(), 'base64').toString());
    return this.#isProved ? null : 'the server did not prove that it knows the password';
  }

  get #header(): string {
    const { binding } = this.#options;
    if (binding === null) return 'n,,';
    return binding === 'not offered' ? 'y,,' : `p=${binding.type},,`;
  }

  get #bare(): string {
    const { user, nonce } = this.#options;
    return `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  async #prove(serverFirst: string): Promise<Step> {
    const { password, nonce, binding } = this.#options;
    const [r = '', s = '', i = ''] = serverFirst.split(',');
    const salt = Buffer.from(s.slice(2), 'base64');
    const iterations = /^i=\d{1,9}$/.test(i) ? Number(i.slice(2)) : 0;
    // A field "m=" in front is an extension that must be understood, and is none that there is.
    if (
      !r.startsWith(`r=${nonce}`) ||
      r.length === nonce.length + 2 ||
      !s.startsWith('s=') ||
      salt.length === 0
    )
      return { complaint: 'the server’s first answer is not the one that SCRAM has' };
    if (iterations < LEAST_ITERATIONS || iterations > MOST_ITERATIONS)
      return { complaint: `the server wants ${i.slice(2, 20)} iterations, which is too few or too many` };
    const { digest } = this.#hash;
    const length = createHash(digest).digest().length;
    const salted = await derived(password, salt, iterations, length, digest);
    const bound = typeof binding === 'object' && binding ? binding.data : Buffer.alloc(0);
    const channel = Buffer.concat([Buffer.from(this.#header), bound]).toString('base64');
    const final = `c=${channel},${r}`;
    const message = `${this.#bare},${serverFirst},${final}`;
    const clientKey = this.#hmac(salted, 'Client Key');
    const signature = this.#hmac(createHash(digest).update(clientKey).digest(), message);
    const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
    this.#expected = this.#hmac(this.#hmac(salted, 'Server Key'), message);
    return { say: Buffer.from(`${final},p=${Buffer.from(proof).toString('base64')}`) };
  }

  #verify(serverFinal: string): Step {
    const [v = ''] = serverFinal.split(',');
    const came = Buffer.from(v.slice(2), 'base64');
    const expected = this.#expected ?? Buffer.alloc(0);
    this.#isProved = v.startsWith('v=') && came.length === expected.length && timingSafeEqual(came, expected);
    if (this.#isProved) return NOTHING_TO_SAY;
    return { complaint: 'the server’s signature is wrong: it does not know the password' };
  }

  #hmac(key: Buffer, message: string): Buffer {
    return createHmac(this.#hash.digest, key).update(message).digest();
  }
}
