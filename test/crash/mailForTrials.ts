/** What each trial's mailbox holds: enough small messages for an order of events, and one that goes up in parts. */

/** More than one part of an upload. */
const LARGE_BYTES = 9 * 1024 * 1024;

/** Of the large one, which is neither first nor last. */
export const LARGE_AT = 2;

export const SMALL = ['one', 'two', 'four', 'five'] as const;

export function trialMail(trial: string): Buffer[] {
  const small = SMALL.map((name) => letter(`${name}-${trial}`, 1000));
  return small.toSpliced(LARGE_AT, 0, letter(`three-${trial}`, LARGE_BYTES));
}

export function letter(name: string, bytes: number): Buffer {
  const head = `Message-ID: <${name}@example.org>\r\nSubject: ${name}\r\n\r\n`;
  const line = `.${name} `.padEnd(70, 'x');
  const lines = Math.ceil(bytes / (line.length + 2));
  return Buffer.from(head + `${line}\r\n`.repeat(lines), 'latin1');
}
