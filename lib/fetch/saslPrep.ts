import saslprep from '@mongodb-js/saslprep';

/**
 * A user name or password as SCRAM's digests want it (RFC 5802 section 2.2, RFC 4013); null: it has none such form.
 * Characters newer than Unicode 3.2 are kept, as for any text that is only asked about (RFC 3454 section 7).
 */
export function saslPrepared(text: string): string | null {
  try {
    return saslprep(text, { allowUnassigned: true }) || null;
  } catch {
    // Its errors tell which rule, and might one day quote.
    return null;
  }
}
