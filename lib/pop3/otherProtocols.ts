/** Greetings of servers of other protocols: RFC 5321 section 4.2, RFC 9051 section 7.1, RFC 4253 section 4.2, RFC 9112 section 4. */
const GREETINGS: readonly (readonly [begins: RegExp, protocol: string])[] = [
  [/^220[ -]/, 'SMTP'],
  [/^\* (OK|PREAUTH|BYE)\b/i, 'IMAP'],
  [/^SSH-/, 'SSH'],
  // It waits for a request, and answers nonsense.
  [/^HTTP\//, 'HTTP'],
];

/** The protocol of whoever greets so; null where it is none that is known. */
export function otherProtocol(greeting: string): string | null {
  return GREETINGS.find(([begins]) => begins.test(greeting))?.[1] ?? null;
}
