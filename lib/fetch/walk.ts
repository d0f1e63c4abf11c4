/** The steps of a check, each told as it ends, with what it took and what was said in it. */
import { type Mailbox, PLAINTEXT } from '../mailbox/settings.ts';
import type { Certificate, Seen } from '../pop3/observe.ts';
import { addressesInWords, chainInWords, handshakeInWords } from './checkWords.ts';
import type { Clock } from './ports.ts';
import type { Trouble } from './report.ts';
import type { TokenFacts } from './tokenFacts.ts';

const STEPS = [
  'dns',
  'tcp',
  'tls',
  'greeting',
  'capabilities',
  'secret',
  'sign-in',
  'list',
  'store',
] as const;
export type StepName = (typeof STEPS)[number];

export interface CheckStep {
  readonly name: StepName;
  /** null: not reached, since one before it failed. */
  readonly ok: boolean | null;
  readonly ms: number;
  /** The server's words, escaped, or ours. */
  readonly says: string;
  /** More of it, a line each. */
  readonly details: readonly string[];
  /** For programs: what `says` and `details` say. */
  readonly facts: Facts;
  /** Of the step that failed: its code, and what to do. */
  readonly code?: string;
  readonly next?: string;
}

export type Facts = Readonly<Record<string, unknown>>;

/** Where a phase of a trouble belongs that is no step of its own. */
const STEP_OF: Readonly<Record<string, StepName>> = {
  stls: 'tls',
  capa: 'capabilities',
  uidl: 'list',
  state: 'store',
};

export class Walk {
  /** By now, in order. */
  readonly steps: CheckStep[] = [];
  /** What the server presented, once it did. */
  chain: readonly Certificate[] = [];
  /** Of the token that is tried. */
  token: TokenFacts | null = null;
  /** The last line of the server. */
  heard = '';
  readonly #coming: StepName[];
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tell: (step: CheckStep) => void;
  #begunMs: number;
  #handshake: Facts = {};

  constructor(
    tls: Mailbox['tls'],
    options: {
      readonly state: boolean;
      readonly clock: Pick<Clock, 'now'>;
      readonly tell?: ((step: CheckStep) => void) | undefined;
    },
  ) {
    const { state, clock, tell = () => {} } = options;
    this.#coming = ['dns', 'tcp', ...inOrder(tls), 'capabilities', 'secret', 'sign-in', 'list'];
    if (state) this.#coming.push('store');
    this.#clock = clock;
    this.#tell = tell;
    this.#begunMs = clock.now();
  }

  see(seen: Seen): void {
    switch (seen.what) {
      case 'addresses':
        this.reach('dns');
        this.passed(addressesInWords(seen.addresses), { addresses: seen.addresses });
        return;
      case 'connected': {
        const { address, port } = seen;
        this.reach('tcp');
        this.passed(`${address}, port ${port}`, { address, port });
        return;
      }
      case 'handshake': {
        const { protocol, cipher, chain } = seen;
        this.chain = chain;
        this.#handshake = { protocol, cipher, chain };
        if (!seen.trusted) return;
        this.reach('tls');
        this.passed(handshakeInWords(seen), this.#handshake, this.#chainInWords());
        return;
      }
      case 'heard':
        this.heard = seen.line;
        if (this.#coming.includes('greeting') && /^\+OK/i.test(seen.line)) {
          this.reach('greeting');
          this.passed(seen.line, {});
        }
        return;
      default:
        return;
    }
  }

  /** Those before it have passed; what there was to say of them was not seen. */
  reach(name: StepName): void {
    while (this.#coming.includes(name) && this.#coming[0] !== name) this.passed('', {});
  }

  passed(says: string, facts: Facts, details: readonly string[] = []): void {
    this.#end({ ok: true, says, facts, details });
  }

  failed({ phase, code, message, diagnosis }: Trouble): void {
    // A secret may be wanted at any step: that of a certificate authority, at the first.
    const at = phase === 'secret' ? undefined : (STEP_OF[phase] ?? STEPS.find((name) => name === phase));
    if (at !== undefined) this.reach(at);
    const isTls = this.#coming[0] === 'tls';
    this.#end({
      ok: false,
      says: diagnosis?.says ?? message,
      facts: { ...(isTls ? this.#handshake : {}), ...diagnosis?.facts },
      details: isTls ? this.#chainInWords() : [],
      code,
      next: diagnosis?.next ?? '',
    });
    for (const name of this.#coming.splice(0))
      this.#put({ name, ok: null, ms: 0, says: 'not reached', details: [], facts: {} });
  }

  #chainInWords(): readonly string[] {
    return chainInWords(this.chain, this.#clock.now());
  }

  #end(step: Omit<CheckStep, 'name' | 'ms'>): void {
    const name = this.#coming.shift();
    if (name === undefined) return;
    const nowMs = this.#clock.now();
    this.#put({ name, ms: nowMs - this.#begunMs, ...step });
    this.#begunMs = nowMs;
  }

  #put(step: CheckStep): void {
    this.steps.push(step);
    this.#tell(step);
  }
}

/** RFC 8314 and RFC 2595: TLS before the greeting, or behind it. */
function inOrder(tls: Mailbox['tls']): readonly StepName[] {
  if (tls === PLAINTEXT) return ['greeting'];
  return tls === 'stls' ? ['greeting', 'tls'] : ['tls', 'greeting'];
}
