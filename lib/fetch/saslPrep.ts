/** What SASLprep leaves as it is. */
const PLAIN = /^[\x20-\x7e]+$/;

/**
 * A user name or password as SCRAM's digests want it (RFC 5802 section 2.2, RFC 4013); null: it has no such form.
 * Characters newer than Unicode 3.2 are kept, as in any text that is only asked about (RFC 3454 section 7).
 */
export async function saslPrepared(text: string): Promise<string | null> {
  if (PLAIN.test(text)) return text;
  // Loaded where it is needed: its tables take tens of milliseconds, which each cold start would pay.
  const { default: saslprep } = await import('@mongodb-js/saslprep');
  try {
    return saslprep(text, { allowUnassigned: true }) || null;
  } catch {
    // Its errors tell which rule, and might one day quote.
    return null;
  }
}
