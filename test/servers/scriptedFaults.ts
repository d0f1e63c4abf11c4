/**
 * Faults as data. A fault names answers and says what is wrong with them; an answer that no fault names is
 * honest. All that match are applied, in the order of the table.
 */

/** How a connection ends: with close_notify, without it, by RST, or not at all (silence for ever). */
export type Ending = 'fin' | 'fin without close_notify' | 'rst' | 'stall';

export interface Fault {
  /** Upper case, or GREETING; absent: every answer. */
  readonly verb?: string;
  /** The command's arguments, exactly; '' names the form without any. */
  readonly args?: string;
  readonly uidl?: string;
  /** Which connections, from 1. */
  readonly session?: number;
  /** The first so many matches pass unharmed. */
  readonly after?: number;
  /** It strikes so many times; otherwise always. */
  readonly times?: number;

  /** The whole answer, terminator included if there is to be one; latin1. */
  readonly reply?: string | (() => Iterable<Buffer>);
  /** Sent before and behind the answer. */
  readonly prefix?: string;
  readonly suffix?: string;
  readonly stuffing?: false;
  /** In place of ".\r\n". */
  readonly terminator?: string;
  /** The command has no effect on the mailbox. */
  readonly ineffective?: true;

  /** So many bytes of the answer are sent, then it ends as `ending` says. */
  readonly cutAt?: number;
  /** How the connection ends behind the cut, or behind the whole answer; default for a cut: 'fin'. */
  readonly ending?: Ending;
  /** Sizes of the writes; the last one repeats. */
  readonly pieces?: readonly number[];
  readonly delayMs?: number;
  /** Between pieces. */
  readonly dripMs?: number;
}

export interface Answered {
  readonly verb: string;
  readonly args: string;
  readonly uidl: string | undefined;
  readonly session: number;
}

/** Remembers how often each fault of the table matched. */
export function faultTable(faults: readonly Fault[]): (answered: Answered) => Fault {
  const matches = new Map<Fault, number>();
  return (answered) => {
    let merged: Fault = {};
    for (const fault of faults) {
      if (!concerns(fault, answered)) continue;
      const before = matches.get(fault) ?? 0;
      matches.set(fault, before + 1);
      const skipped = fault.after ?? 0;
      if (before < skipped || before >= skipped + (fault.times ?? Number.POSITIVE_INFINITY)) continue;
      merged = { ...merged, ...fault };
    }
    return merged;
  };
}

function concerns(fault: Fault, answered: Answered): boolean {
  return (
    (fault.verb === undefined || fault.verb === answered.verb) &&
    (fault.args === undefined || fault.args === answered.args) &&
    (fault.uidl === undefined || fault.uidl === answered.uidl) &&
    (fault.session === undefined || fault.session === answered.session)
  );
}

/** The answer's bytes as the writes that carry them. */
export function* inPieces(bytes: Iterable<Buffer>, sizes: readonly number[] | undefined): Iterable<Buffer> {
  if (sizes === undefined || sizes.length === 0) {
    yield* bytes;
    return;
  }
  let nth = 0;
  let room = sizes[0] ?? 1;
  for (const block of bytes) {
    for (let at = 0; at < block.length; ) {
      const piece = block.subarray(at, at + room);
      at += piece.length;
      room -= piece.length;
      yield piece;
      if (room > 0) continue;
      nth = Math.min(nth + 1, sizes.length - 1);
      room = Math.max(1, sizes[nth] ?? 1);
    }
  }
}

/** The first `count` bytes. */
export function* firstBytes(bytes: Iterable<Buffer>, count: number): Iterable<Buffer> {
  let left = count;
  for (const block of bytes) {
    if (left <= 0) return;
    const piece = block.subarray(0, left);
    left -= piece.length;
    if (piece.length > 0) yield piece;
  }
}
