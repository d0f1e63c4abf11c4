/** The schedule by itself: runs are made up, and time passes only when the test says so. */
import { describe, expect, it } from 'vitest';
import { type Watching, watch } from '../../bin/watch.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { beginsBetween, nextBeginMs } from '../../lib/mailbox/due.ts';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { mailboxNamed } from '../fetch/world.ts';
import { FakeTimer, settled } from '../pop3/fakeTimer.ts';
import { report } from './reports.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Told {
  readonly id: string;
  readonly outcome: RunReport['outcome'];
  readonly skipped: number;
}

type Act = (mailbox: Mailbox, nth: number, ms: number) => Partial<RunReport> | Promise<Partial<RunReport>>;

/** Watches until the test ends it; `act` is one run. */
class Watched {
  readonly timer = new FakeTimer();
  readonly startMs = this.timer.now();
  readonly begun: { readonly id: string; readonly ms: number }[] = [];
  readonly told: Told[] = [];
  readonly #stop = new AbortController();
  readonly #under = new Map<string, number>();
  most = 0;
  /** Added to the time: a clock that somebody sets. */
  skewMs = 0;
  readonly ended: Promise<void>;

  constructor(mailboxes: readonly Mailbox[], act: Act, more: Partial<Watching> = {}) {
    const run = async (mailbox: Mailbox) => {
      const under = (this.#under.get(mailbox.id) ?? 0) + 1;
      this.#under.set(mailbox.id, under);
      this.most = Math.max(this.most, under);
      const nth = this.begun.filter(({ id }) => id === mailbox.id).length;
      this.begun.push({ id: mailbox.id, ms: this.now() });
      const change = await act(mailbox, nth, this.now());
      this.#under.set(mailbox.id, under - 1);
      return { ...report(change), mailbox: mailbox.id };
    };
    this.ended = watch({
      mailboxes,
      clock: { now: () => this.now(), after: (ms, fire) => this.timer.after(ms, fire) },
      signal: this.#stop.signal,
      run,
      runAlone: undefined,
      tell: ({ id }, { outcome }, skipped) => this.told.push({ id, outcome, skipped }),
      ...more,
    });
    this.ended.catch(() => {});
  }

  now(): number {
    return this.timer.now() + this.skewMs;
  }

  sleep = (ms: number) => new Promise<void>((resolve) => void this.timer.after(ms, resolve));

  /** Epoch milliseconds at which the mailbox's runs began. */
  of(id: string): readonly number[] {
    return this.begun.filter((one) => one.id === id).map(({ ms }) => ms);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await settled();
    await this.ended;
  }
}

const every = (id: string, interval: string) => mailboxNamed(id, { every: interval });
const support = every('support', '10m');

describe('a mailbox that is watched', () => {
  it('is fetched at once, and then in each of its own moments, whatever the interval', async () => {
    const mailboxes = [every('a', '1m'), every('b', '7m'), every('c', '1h'), every('d', '1d')];
    const watched = new Watched(mailboxes, () => ({}));
    await watched.timer.advance(26 * HOUR_MS);
    for (const mailbox of mailboxes) {
      const [first, ...later] = watched.of(mailbox.id);
      expect(first).toBe(watched.startMs);
      expect(later).toHaveLength(beginsBetween(mailbox, watched.startMs, watched.now()));
      expect(later.every((ms) => ms === nextBeginMs(mailbox, ms - 1))).toBe(true);
    }
    await watched.stop();
    expect(watched.timer.pending).toBe(0);
  });

  it('is never fetched twice at once; a run that takes long skips turns, says so, and moves nothing', async () => {
    const watched = new Watched([support], async (_, nth) => {
      if (nth === 1) await watched.sleep(35 * MINUTE_MS);
      return {};
    });
    await watched.timer.advance(2 * HOUR_MS);
    expect(watched.most).toBe(1);
    const [, long = 0, ...later] = watched.of('support');
    expect(watched.told.map(({ skipped }) => skipped).filter((skipped) => skipped > 0)).toEqual([3]);
    expect(later[0]).toBe(long + 40 * MINUTE_MS);
    await watched.stop();
  });

  it('has skipped no turn that fell due during a short run', async () => {
    const toNextMs = nextBeginMs(support, new FakeTimer().now()) - new FakeTimer().now();
    const watched = new Watched([support], async (_, nth) => {
      if (nth === 0) await watched.sleep(toNextMs + 1000);
      return {};
    });
    await watched.timer.advance(toNextMs + 1000);
    expect(watched.told).toEqual([{ id: 'support', outcome: 'done', skipped: 0 }]);
    await watched.stop();
  });

  it('is fetched on at once while a run ends with work left and got somewhere', async () => {
    const some = (stored: number) => report({ outcome: 'more' }, { stored, notReached: 9 - stored });
    const watched = new Watched([support], async (_, nth) => {
      await watched.sleep(MINUTE_MS);
      return nth < 5 ? some(1) : nth === 5 ? some(0) : {};
    });
    await watched.timer.advance(6 * MINUTE_MS - 1);
    expect(watched.of('support').map((ms) => ms - watched.startMs)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => n * MINUTE_MS),
    );
    // The sixth got nowhere: another run would not either, before the next turn.
    await watched.timer.advance(10 * MINUTE_MS);
    expect(watched.of('support')).toHaveLength(7);
    await watched.stop();
  });

  it('that failed is still due: tried again after 1, 2, 4 … minutes, and in its turns at the latest', async () => {
    const daily = every('daily', '1d');
    const watched = new Watched([daily], () => ({ outcome: 'failed' }));
    await watched.timer.advance(40 * MINUTE_MS);
    const minutes = watched.of('daily').map((ms) => Math.round((ms - watched.startMs) / MINUTE_MS));
    expect(minutes.slice(0, 6)).toEqual([0, 1, 3, 7, 15, 31]);
    await watched.stop();
    const quick = new Watched([every('quick', '1m')], () => ({ outcome: 'failed' }));
    await quick.timer.advance(10 * MINUTE_MS);
    expect(quick.of('quick').length).toBeGreaterThanOrEqual(10);
    await quick.stop();
  });

  it('that must wait is tried as soon as it may, and works on its interval again afterwards', async () => {
    const until = (ms: number) => ({
      until: new Date(ms).toISOString(),
      code: 'E_POP3_LOGIN_DELAY',
      message: '',
    });
    const daily = every('daily', '1d');
    const watched = new Watched([daily], (_, nth, ms) =>
      nth === 0 ? { outcome: 'waiting', waiting: until(ms + 90_000) } : {},
    );
    await watched.timer.advance(4 * MINUTE_MS);
    expect(watched.of('daily')[1]).toBe(watched.startMs + 90_000);
    await watched.timer.advance(25 * HOUR_MS);
    expect(watched.of('daily').slice(2, 3)).toEqual([nextBeginMs(daily, watched.startMs + 90_000)]);
    await watched.stop();
  });

  it('is fetched once for all turns that it missed while the machine slept', async () => {
    const watched = new Watched([support], () => ({}));
    await watched.timer.advance(MINUTE_MS);
    const before = watched.begun.length;
    // Timers stand still while the clock goes on.
    watched.skewMs = 5 * HOUR_MS;
    await watched.timer.advance(MINUTE_MS);
    expect(watched.begun.length - before).toBeLessThanOrEqual(2);
    expect(watched.begun.length).toBeGreaterThan(before);
    expect(watched.told.every(({ skipped }) => skipped === 0)).toBe(true);
    await watched.stop();
  });

  it('does not wait for a clock that was set back to be there again', async () => {
    const watched = new Watched([support], () => ({}));
    await watched.timer.advance(MINUTE_MS);
    watched.skewMs = -30 * 24 * HOUR_MS;
    const before = watched.begun.length;
    await watched.timer.advance(12 * MINUTE_MS);
    expect(watched.begun.length).toBeGreaterThan(before);
    await watched.stop();
  });
});

describe('the end of watching', () => {
  it('waits for what is under way, and begins nothing more', async () => {
    const watched = new Watched([support, every('other', '1m')], async ({ id }) => {
      if (id === 'support') await watched.sleep(5_000);
      return {};
    });
    await settled();
    let over = false;
    const stopped = watched.stop().then(() => {
      over = true;
    });
    await watched.timer.advance(4_000);
    expect(over).toBe(false);
    const begun = watched.begun.length;
    await watched.timer.advance(HOUR_MS);
    await stopped;
    expect(watched.begun).toHaveLength(begun);
    expect(watched.timer.pending).toBe(0);
  });

  it('comes with the first mistake of ours, once all runs have ended, and it is told', async () => {
    const watched = new Watched([support, every('other', '1m')], async ({ id }, nth) => {
      if (id === 'other' && nth === 1) throw new Error('a bug');
      return {};
    });
    await watched.timer.advance(2 * HOUR_MS);
    await expect(watched.ended).rejects.toThrow('a bug');
    expect(watched.of('support').length).toBeLessThan(4);
  });

  it('comes at once where it was asked for before it began', async () => {
    const signal = AbortSignal.abort();
    const watched = new Watched([support], () => ({}), { signal });
    await watched.ended;
    expect(watched.begun).toEqual([]);
  });
});

describe('messages that may have killed a process', () => {
  const standing = { suspects: true, lastSuccessMs: 0, failing: null };
  const left = { ...report({ outcome: 'more', standing }, { notReached: 1 }), mailbox: 'support' };

  it('are asked for alone, once at a time, while their mailbox is fetched on its interval all the same', async () => {
    let alone = 0;
    let begin = () => {};
    const runAlone = ({ id }: Mailbox) => {
      alone += 1;
      return new Promise<RunReport>((resolve) => {
        begin = () => resolve(report({ mailbox: id }));
      });
    };
    const watched = new Watched([support, every('other', '1d')], ({ id }) => (id === 'support' ? left : {}), {
      runAlone,
    });
    await watched.timer.advance(HOUR_MS);
    expect(alone).toBe(1);
    expect(watched.of('support').length).toBeGreaterThan(5);
    const told = watched.told.length;
    begin();
    await settled();
    expect(watched.told).toHaveLength(told + 1);
    await watched.timer.advance(11 * MINUTE_MS);
    expect(alone).toBe(2);
    begin();
    await watched.stop();
  });

  it('are a mistake of ours where asking for them is', async () => {
    const watched = new Watched([support], () => left, {
      runAlone: async () => {
        throw new Error('a bug');
      },
    });
    await expect(watched.ended).rejects.toThrow('a bug');
  });
});
