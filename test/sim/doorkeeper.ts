/**
 * A server that turns sign-ins away at times: in spells, in the words of many servers, and who comes again before
 * LOGIN-DELAY is over. It draws from a stream of its own, so that a history without it is what its seed always was.
 */
import { Chance } from './chance.ts';

const WORDS = [
  '[IN-USE] locked',
  'Maildrop lock busy!  Is another session active?',
  '[SYS/TEMP] later',
  'Server error - Please try again later.',
  '[AUTH] Account exceeded POP command or bandwidth limits (Failure)',
  'Too many simultaneous connections',
  'Exceeded the login limit for a 15 minute period.',
  '[LOGIN-DELAY 120] not yet',
  // A throttle, said as a wrong password is.
  'Logon failure: unknown user name or bad password.',
  'Login fail. Account is abnormal, password is incorrect, login frequency limited, or system is busy.',
] as const;

/** How many histories have one. */
const SHARE = 0.2;

/** Between a moment and longer than a refused sign-in is waited for at first. */
const SPELLS_MS = [1_000, 120_000, 1_200_000, 14_400_000] as const;

export class Doorkeeper {
  readonly #chance: Chance;
  readonly #rate: number;
  readonly #minds: boolean;
  #spell: { readonly says: string; readonly untilMs: number } | null = null;
  #signedInMs = Number.NEGATIVE_INFINITY;

  constructor(seed: number) {
    this.#chance = new Chance(seed ^ 0x5eed);
    this.#rate = this.#chance.happens(SHARE) ? 0.5 * this.#chance.next() : 0;
    this.#minds = this.#chance.happens(0.5);
  }

  /** What is said to who signs in rightly; null: come in. Nothing is said by chance once there is calm. */
  turnsAway(nowMs: number, delayMs: number, calm: boolean): string | null {
    if (this.#minds && nowMs - this.#signedInMs < delayMs) return '-ERR [LOGIN-DELAY] not so soon';
    if (!calm && this.#rate > 0) {
      if (this.#spell !== null && nowMs < this.#spell.untilMs) return `-ERR ${this.#spell.says}`;
      if (this.#chance.happens(this.#rate)) {
        const lastsMs = this.#chance.pick(SPELLS_MS) * this.#chance.next();
        this.#spell = { says: this.#chance.pick(WORDS), untilMs: nowMs + lastsMs };
        return `-ERR ${this.#spell.says}`;
      }
    }
    this.#signedInMs = nowMs;
    return null;
  }
}
