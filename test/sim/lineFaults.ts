/** Answers on their way to the client, and what goes wrong with them. */
import type { Line } from './line.ts';
import type { Message } from './messages.ts';

export type LineFault =
  | 'refuse'
  /** The answer ends at some byte, and the line with it. */
  | 'cut'
  | 'reset'
  /** The answer comes, but only when nobody waits for it any more. */
  | 'silence'
  /** More comes than was asked for. */
  | 'extra'
  | 'garbage'
  /** Another message's answer, another size, an empty listing, an UPDATE done in part: by the command. */
  | 'wrong'
  | 'temporary';

export interface Answer {
  readonly status: string;
  readonly body?: Buffer;
  readonly poison?: Message | null;
  readonly effect?: () => void;
  /** Once it was sent whole. */
  readonly sent?: () => void;
  readonly ends?: boolean;
  /** What is said instead by a server that is wrong. */
  readonly wrong?: () => Answer;
}

/** Where an answer goes, and what becomes of the session when the line ends with it. */
export interface Delivery {
  readonly line: Line;
  readonly answer: Answer;
  dropped(): void;
}

/** Longer than anybody waits. */
const LATE_FROM_MS = 60_000;
const LATE_WITHIN_MS = 400_000;

const EXTRAS = ['+OK unasked\r\n', '\r\n', '.\r\n', '-ERR [SYS/TEMP] going down\r\n', 'x'] as const;

export function send(line: Line, answer: Answer): void {
  answer.effect?.();
  line.send(encoded(answer), answer.poison ?? null);
  answer.sent?.();
  if (answer.ends) line.end('fin');
}

export function sendFaulty(fault: LineFault, delivery: Delivery) {
  const { line, answer } = delivery;
  const { chance } = line.process;
  switch (fault) {
    case 'refuse':
      return send(line, { status: '-ERR not now' });
    case 'temporary':
      return send(line, { status: chance.pick(['-ERR [SYS/TEMP] later', '-ERR [IN-USE] locked']) });
    case 'garbage':
      return send(line, { status: chance.pick(['* BYE', '+NO', '', '220 smtp']) });
    case 'extra':
      send(line, answer);
      return line.send(Buffer.from(chance.pick(EXTRAS)));
    case 'wrong':
      return send(line, answer.wrong?.() ?? answer);
    default:
      return breakOff(fault, delivery);
  }
}

/** Done or not, the answer does not come whole, or not in time. */
function breakOff(fault: 'cut' | 'reset' | 'silence', { line, answer, dropped }: Delivery): void {
  const { process } = line;
  if (process.chance.happens(0.5)) answer.effect?.();
  const bytes = encoded(answer);
  if (fault === 'silence') {
    const late = LATE_FROM_MS + process.chance.next() * LATE_WITHIN_MS;
    line.stall(late);
    line.send(bytes, answer.poison ?? null);
    return;
  }
  const kept = bytes.subarray(0, process.chance.below(bytes.length));
  const { poison = null } = answer;
  if (kept.length > 0)
    line.send(kept, kept.length > encoded({ status: answer.status }).length ? poison : null);
  line.end(fault === 'cut' ? 'fin' : 'rst');
  dropped();
}

function encoded({ status, body }: Answer): Buffer {
  const line = Buffer.from(`${status}\r\n`, 'latin1');
  return body === undefined ? line : Buffer.concat([line, body]);
}
