/**
 * Windows whose commands are written before the answers of those before them were read (RFC 2449 section 6.6), so
 * that nobody waits for a round trip between two of them. Each has its own fence, which vouches for all before it.
 */
import { refKey } from '../mailbox/state.ts';
import type { Ahead } from '../pop3/client.ts';
import { UPLOAD_BYTES } from '../store/port.ts';
import { questionOf } from './fence.ts';
import type { RunContext } from './runContext.ts';
import type { Session } from './session.ts';
import { doubtAll, type Wanted, WINDOW_BYTES, WINDOW_MESSAGES, type Window, WindowLost } from './window.ts';

/** Asked for and not read yet, where it is more than two windows. */
const AHEAD_MESSAGES = 128;
const AHEAD_BYTES = 8 * 1024 * 1024;

export interface Asked extends Window {
  readonly commands: readonly Ahead[];
  readonly bytes: number;
  /** Of the bytes in flight to the store. */
  readonly giveBack: () => void;
}

export class Pipeline {
  readonly #context: RunContext;
  readonly #session: Session;
  readonly #windows: Asked[] = [];

  constructor(context: RunContext, session: Session) {
    this.#context = context;
    this.#session = session;
  }

  /** What is read next; it stays first until `done`. */
  get first(): Asked | undefined {
    return this.#windows[0];
  }

  done(): void {
    this.#windows.shift();
  }

  /** Those of them that are not asked for yet. */
  without(wanted: readonly Wanted[]): readonly Wanted[] {
    const underWay = new Set(this.#windows.flatMap((window) => window.wanted));
    return underWay.size === 0 ? wanted : wanted.filter((one) => !underWay.has(one));
  }

  /** Asks for as much as may be under way, and at least for one window. Returns the rest. Rejects with WindowLost. */
  async ask(untried: readonly Wanted[]): Promise<readonly Wanted[]> {
    const asked: Asked[] = [];
    let left = untried;
    while (left.length > 0) {
      const window = await this.#windowFrom(left);
      if (window === null) break;
      asked.push(window);
      this.#windows.push(window);
      left = left.slice(window.wanted.length);
    }
    const [first] = asked;
    await this.#session.client.ahead(asked.flatMap(({ commands }) => commands)).catch((cause: unknown) => {
      throw new WindowLost(cause, first?.wanted[0] ?? null);
    });
    return left;
  }

  /** Of a line that is lost: all that was asked for in vain. */
  abandon(): readonly Wanted[] {
    const windows = this.#windows.splice(0);
    for (const { giveBack } of windows) giveBack();
    return windows.flatMap(({ wanted }) => wanted);
  }

  /** Null where it has to wait for those before it. */
  async #windowFrom(left: readonly Wanted[]): Promise<Asked | null> {
    const session = this.#session;
    const isFirst = this.#windows.length === 0;
    const [first] = left;
    if (first === undefined) return null;
    const mayBeAhead = this.#mayBeAhead(first);
    const isNamed = first.row.uidl !== '';
    const most = isNamed && !session.singly ? WINDOW_MESSAGES : 1;
    const fits = (one: Wanted) => this.#mayBeAhead(one) === mayBeAhead && (one.row.uidl !== '') === isNamed;
    const wanted = nextWindow(left, most, fits);
    const bytes = bytesOf(wanted);
    const commands = mayBeAhead ? commandsOf(session, wanted) : [];
    const ahead = commands.length > 0;
    const isBehindOthers = this.first?.ahead === true && ahead;
    if (!(isFirst || (isBehindOthers && this.#hasRoomFor(wanted, bytes)))) return null;
    // A message beyond one part is uploaded while it arrives, and holds no more than an upload does.
    const room = Math.min(bytes, UPLOAD_BYTES);
    const { inFlight } = this.#context.ports;
    // Whoever holds some must not wait for more: only what nothing else of this line is waiting for does.
    const giveBack = isFirst ? await inFlight.reserve(room) : inFlight.reserveNow(room);
    return giveBack && { wanted, fresh: doubtAll(session, wanted), ahead, commands, bytes, giveBack };
  }

  /** Without a size that can be relied on nothing would tell that dots were lost; without UIDL they come one at a time. */
  #mayBeAhead({ row, ref }: Wanted): boolean {
    const { pipelining, policy } = this.#session;
    const isSized = !policy.estimated && row.octets !== null;
    return pipelining && isSized && row.uidl !== '' && !this.#context.cameShort.has(refKey(ref));
  }

  /** One window may always follow the one that is read: however large they are, nobody waits for a round trip between. */
  #hasRoomFor(wanted: readonly Wanted[], bytes: number): boolean {
    if (this.#windows.length === 1) return true;
    const messages = this.#windows.reduce((sum, window) => sum + window.wanted.length, wanted.length);
    const octets = this.#windows.reduce((sum, window) => sum + window.bytes, bytes);
    return messages <= AHEAD_MESSAGES && octets <= AHEAD_BYTES;
  }
}

/** None where nothing can be their fence. */
function commandsOf(session: Session, wanted: readonly Wanted[]): readonly Ahead[] {
  const rows = wanted.map(({ row }) => row);
  const fence = questionOf(session, rows);
  if (fence === null) return [];
  const retrs = rows.map(({ number }) => ({ verb: 'RETR' as const, number }));
  return [...retrs, { verb: fence.form, number: fence.row.number }];
}

function nextWindow(
  untried: readonly Wanted[],
  most: number,
  fits: (one: Wanted) => boolean,
): readonly Wanted[] {
  const window: Wanted[] = [];
  let bytes = 0;
  for (const wanted of untried) {
    bytes += octetsOf(wanted);
    if (window.length > 0 && (window.length === most || bytes > WINDOW_BYTES || !fits(wanted))) break;
    window.push(wanted);
  }
  return window;
}

function bytesOf(wanted: readonly Wanted[]): number {
  return wanted.reduce((sum, one) => sum + octetsOf(one), 0);
}

function octetsOf({ row }: Wanted): number {
  return row.octets ?? WINDOW_BYTES;
}
