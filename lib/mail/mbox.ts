/**
 * A message as one of an mbox file, in the form that can be undone ("mboxrd"): a line that begins with any number of ">" and
 * then "From " gets one more ">". Nothing else of it is changed, its CRLFs neither; what is ours ends in LF.
 */
import { firstFields } from './headerFields.ts';

const LF = 0x0a;
const QUOTE = 0x3e;
const FROM = Buffer.from('From ');

/** Ends a message; readers take it away again. */
const EMPTY_LINE = Buffer.from('\n');

/** Takes a message's bytes in any chunks. */
export class MboxQuoting {
  /** What may be the beginning of FROM. */
  #held: Buffer = Buffer.alloc(0);
  /** Whether all that came since the last LF are ">", if anything. */
  #atHead = true;
  #endsLine = true;

  update(chunk: Uint8Array): Buffer {
    const bytes = Buffer.concat([this.#held, chunk]);
    const end = bytes.length - beginningAtEnd(bytes);
    // A copy: the rest of a chunk must not be kept with it.
    this.#held = Buffer.from(bytes.subarray(end));
    return this.#quoted(bytes.subarray(0, end));
  }

  /** What is left, and what stands between two messages. A last line without its LF gets one. */
  end(): Buffer {
    const held = this.#held;
    const endsLine = held.length === 0 && this.#endsLine;
    return Buffer.concat([held, ...(endsLine ? [] : [EMPTY_LINE]), EMPTY_LINE]);
  }

  #quoted(bytes: Buffer): Buffer {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(FROM); at !== -1; at = bytes.indexOf(FROM, at + FROM.length)) {
      if (!this.#isAtHead(bytes, at)) continue;
      pieces.push(bytes.subarray(from, at), Buffer.of(QUOTE));
      from = at;
    }
    this.#atHead = this.#isAtHead(bytes, bytes.length);
    if (bytes.length > 0) this.#endsLine = bytes.at(-1) === LF;
    return pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(from)]);
  }

  /** One ">" more is the same wherever it stands among the others, so that none of them has to be held back. */
  #isAtHead(bytes: Buffer, end: number): boolean {
    let at = end;
    while (at > 0 && bytes[at - 1] === QUOTE) at -= 1;
    return at === 0 ? this.#atHead : bytes[at - 1] === LF;
  }
}

/** How many of the last bytes may be the beginning of FROM. */
function beginningAtEnd(bytes: Buffer): number {
  for (let length = Math.min(FROM.length - 1, bytes.length); length > 0; length -= 1)
    if (bytes.subarray(bytes.length - length).equals(FROM.subarray(0, length))) return length;
  return 0;
}

const RETURN_PATH: ReadonlySet<string> = new Set(['return-path']);

/** RFC 4155 section 2: whoever sent it, and when it was delivered, in UTC, as asctime writes it. */
export function fromLine(head: Uint8Array, storedMs: number): string {
  return `From ${senderIn(head)} ${asctime(storedMs)}\n`;
}

/** Of a bounce, and where nothing tells. */
const NOBODY = 'MAILER-DAEMON';

/** RFC 5321 section 4.5.3.1.3. */
const MAX_PATH = 254;

function senderIn(head: Uint8Array): string {
  const raw = firstFields(head, RETURN_PATH).get('return-path')?.raw ?? '';
  const [, path = ''] = /^\s*<?([!-;=?-~]+)>?\s*$/.exec(raw) ?? [];
  return path === '' || path.length > MAX_PATH ? NOBODY : path;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function asctime(ms: number): string {
  // "Thu, 26 Nov 2026 09:02:03 GMT"
  const [, date = '', month = '', year = '', time = ''] = new Date(ms).toUTCString().split(' ');
  const day = String(Number(date)).padStart(2, ' ');
  return `${DAYS[new Date(ms).getUTCDay()]} ${month} ${day} ${time} ${year}`;
}
