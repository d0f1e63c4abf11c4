/** The client's side of a SASL exchange (RFC 4422), as POP3 carries it (RFC 5034). Used once. */
export interface Mechanism {
  /** As AUTH names it. */
  readonly name: string;
  /** Why it cannot be begun with what it was given; null: it can. */
  readonly complaint: string | null;
  /** What is said first; null: nothing before the server's challenge. */
  readonly first: Buffer | null;
  /** QUIRK: some servers ask in plain words, or say what is wrong in bare JSON: it decides nothing, so it need be no base64. */
  readonly takesPlainWords?: true;
  /** The answer to a challenge. After a complaint the exchange is cancelled ("*"). */
  answer(challenge: Buffer): Step | Promise<Step>;
  /** Asked at the server's +OK, with what stands behind it: why that is not to be believed; null: it is. */
  doubt(success?: string): string | null;
}

export type Step = { readonly say: Buffer } | { readonly complaint: string };

export const NOTHING_TO_SAY: Step = { say: Buffer.alloc(0) };

export function unexpected(): Step {
  return { complaint: 'the server asked for more than the mechanism has' };
}

/** Whether any of these texts has a character that the mechanism uses to tell its fields apart. */
export function complaintAbout(texts: readonly string[], reserved: RegExp): string | null {
  return texts.some((text) => reserved.test(text))
    ? 'a control character is in the user name or the secret, which the mechanism cannot carry'
    : null;
}

/** A server's text that a person may be shown. */
export function printable(text: string, most: number): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, most);
}
