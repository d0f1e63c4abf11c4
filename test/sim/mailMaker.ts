/** Makes mail: of all sizes and manners, hostile, and in every relation to mail that came before. */
import type { Chance } from './chance.ts';
import type { Making, Message, Poison } from './messages.ts';

export interface Postage {
  /** How often a message bears the UIDL of an earlier one, and how often it repeats an earlier one's bytes. */
  readonly reuses: number;
  readonly repeats: number;
  readonly poisons: number;
  readonly forges: number;
  /** Whether UIDLs are what anybody can guess, and forgeries do. */
  readonly guesses: boolean;
  /** How often it has an earlier one's header and size, and a body of its own. */
  readonly clones: number;
  /** How often a line that is a dot alone stays one. */
  readonly cuts: number;
  /** How often LIST does not tell the truth, and how often it is no number. */
  readonly missizes: number;
  readonly unsized: number;
  /** How often it has no field that tells it from others. */
  readonly anonymous: number;
  /** How many have the trace of a delivery, which nothing that is made twice has. */
  readonly traces: number;
}

const LINES = [
  'The quick brown fox jumps over the lazy dog.',
  '.',
  '..',
  '.hidden behind a dot',
  '',
  'eight bits \xe4\xf6\xfc \x80\xff\x00',
  'a bare \r in it',
  'a bare \n in it',
  'bare ones around a dot\n.\nand on',
  '\r.\r',
  'x'.repeat(90),
  'From the beginning',
] as const;

/** Lines that end a message where dots are not stuffed; there they are few, or hardly any mail would come whole. */
const CUTTING = new Set<string>(['.']);

/** What a sender writes who hopes that the server does not stuff dots. */
const FORGERIES = [
  '.\r\n+OK',
  '.\r\n+OK\r\n.\r\n+OK 1 1\r\nSubject: not mail\r\n\r\nforged\r\n.\r\n+OK 2 u2',
  '.\r\n-ERR [SYS/TEMP] forged',
  '.\r\n+OK 120 octets\r\nMessage-ID: <forged@example.org>\r\n\r\nforged body\r\n.\r\n+OK 1 u1\r\n+OK 2 u2',
] as const;

const GUESSES = ['.\r\n+OK 1 1', '.\r\n+OK 2 2', '.\r\n+OK 1 1\r\n+OK\r\n.\r\n+OK 2 2'] as const;

export class MailMaker {
  readonly #chance: Chance;
  readonly #postage: Postage;
  readonly #made: Message[];

  /** `made`: every message so far, which later ones refer to. */
  constructor(chance: Chance, postage: Postage, made: Message[]) {
    this.#chance = chance;
    this.#postage = postage;
    this.#made = made;
  }

  next(): Making {
    const chance = this.#chance;
    const number = this.#made.length + 1;
    const earlier = this.#made.length > 0 ? chance.pick(this.#made) : null;
    const fresh = `u${number}-${chance.hex(6)}`;
    const uidl = earlier && chance.happens(this.#postage.reuses) ? earlier.uidl : fresh;
    if (earlier !== null && earlier.poison === 'none' && chance.happens(this.#postage.repeats))
      return this.#repeat(earlier, { number, uidl, fresh });
    if (earlier !== null && chance.happens(this.#postage.clones)) {
      const bytes = cloneOf(earlier.bytes, number);
      if (bytes)
        return { number, uidl: fresh, bytes, listed: earlier.listed, poison: 'none', family: earlier.family };
    }
    const poison: Poison = chance.happens(this.#postage.poisons)
      ? chance.pick(['retr', 'summary', 'announce', 'unsayable', 'refused'])
      : 'none';
    const alike = earlier !== null && earlier.uidl === uidl && chance.happens(0.5) ? earlier : null;
    const bytes = this.#content(number, alike?.bytes.length ?? null);
    return { number, uidl, bytes, listed: alike?.listed ?? this.#listed(bytes), poison, family: number };
  }

  /**
   * The same bytes once more. Left out: under the UIDL of other bytes with the very same header, for UIDL, size and a
   * header with a Message-ID are together what a message is known by (the DELE rule, branch B).
   */
  #repeat(
    { bytes, listed, family }: Message,
    names: { number: number; uidl: string; fresh: string },
  ): Making {
    const { number, uidl, fresh } = names;
    const sibling = this.#made.some(
      (other) => other.uidl === uidl && other.family === family && !other.bytes.equals(bytes),
    );
    return { number, uidl: sibling ? fresh : uidl, bytes, listed, poison: 'none', family };
  }

  /** `size`: if it can be had, so many octets. No two are alike. */
  #content(number: number, size: number | null): Buffer {
    const chance = this.#chance;
    if (size === null && chance.happens(0.02)) return Buffer.alloc(0);
    const lines = chance.happens(this.#postage.anonymous)
      ? chance.pick([[`Subject: ${chance.pick(['one', 'two'])}`, ''], [''], []])
      : [`Message-ID: <${number}@example.org>`, `From: sender ${number} <s@example.org>`, ''];
    if (this.#postage.traces > 0 && chance.happens(this.#postage.traces))
      lines.unshift(`Received: from example.org; ${number}`);
    lines.push(`This is message ${number}.`);
    const length = size ?? (chance.happens(0.3) ? chance.below(1500) : chance.below(300));
    let octets = lines.reduce((sum, line) => sum + line.length + 2, 0);
    if (chance.happens(this.#postage.forges)) lines.push(this.#forgery());
    while (octets < length) {
      const drawn = size === null ? chance.pick(LINES) : 'y'.repeat(Math.max(0, size - octets - 2));
      const line = CUTTING.has(drawn) && !chance.happens(this.#postage.cuts) ? '' : drawn;
      lines.push(line);
      octets += line.length + 2;
    }
    return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  }

  #forgery(): string {
    return this.#chance.pick(this.#postage.guesses ? GUESSES : FORGERIES);
  }

  #listed(bytes: Buffer): string {
    const chance = this.#chance;
    if (chance.happens(this.#postage.unsized)) return chance.pick(['-', '%!d(float64=1)', '']);
    if (!chance.happens(this.#postage.missizes)) return String(bytes.length);
    return String(Math.max(0, bytes.length + chance.pick([-40, -1, 1, 2, 300])));
  }
}

/** The same header and size, and another body; null where there is no room for one. */
function cloneOf(bytes: Buffer, number: number): Buffer | null {
  const head = bytes.indexOf('\r\n\r\n') + 4;
  const body = `clone ${number}`;
  if (head < 4 || bytes.length - head < body.length + 2) return null;
  const clone = Buffer.from(bytes);
  clone.fill('z', head, clone.length - 2);
  clone.write(body, head);
  return clone;
}
