/** The mail of the speed table: plain lines, every message another, no line that would be stuffed. */

export interface Workload {
  readonly name: string;
  readonly messages: number;
  readonly octets: number;
  /** So many rounds at least. */
  readonly rounds: number;
}

export const WORKLOADS: readonly Workload[] = [
  { name: '2,000 x 4 KB', messages: 2000, octets: 4 * 1024, rounds: 5 },
  { name: '500 x 75 KB', messages: 500, octets: 75 * 1024, rounds: 5 },
  { name: '10 x 25 MB', messages: 10, octets: 25 * 1024 * 1024, rounds: 3 },
];

/** In the header of each message, once: what messages in one big file are counted by. */
export const MARK = 'X-Bench-Number: ';

const LINE = 'The quick brown fox jumps over the lazy dog, and the dog sleeps on.'.padEnd(76, 'x');
const BLOCK = `${LINE}\r\n`.repeat(1000);

/** Exactly `octets` long, the last CRLF included. */
export function letter(number: number, octets: number): Buffer {
  const head = [
    `From: sender${number}@example.org`,
    'To: ferry@example.org',
    `Subject: bench ${number}`,
    'Date: Mon, 02 Mar 2026 10:00:00 +0000',
    `Message-ID: <bench-${number}@example.org>`,
    `${MARK}${number}`,
    '\r\n',
  ].join('\r\n');
  const pieces = [head];
  let left = octets - head.length - 2;
  for (; left > 0; left -= BLOCK.length) pieces.push(BLOCK.slice(0, left));
  // A line break cut in half is none.
  const text = pieces.join('').replace(/[\r\n]$/, 'x');
  return Buffer.from(`${text}\r\n`, 'latin1');
}

export interface Expected {
  readonly messages: number;
  readonly octets: number;
  /** The same with LF for CRLF, as Maildir keeps it. */
  readonly octetsWithLf: number;
}

export function expectedOf(letters: readonly Buffer[]): Expected {
  let lines = 0;
  for (const bytes of letters) for (const byte of bytes) if (byte === 10) lines += 1;
  const octets = letters.reduce((sum, bytes) => sum + bytes.length, 0);
  return { messages: letters.length, octets, octetsWithLf: octets - lines };
}
