import { escapeBytes } from './escape.ts';

/** Runs this long that a reply shares with a secret are an echo; shorter ones happen by chance. */
const ECHO_BYTES = 8;

export const WITHHELD = '(withheld: the reply repeats a secret)';

/** Shows server text; once told a secret, withholds a whole text that repeats it or a part of it. */
export type Show = (bytes: Uint8Array) => string;

/**
 * QUIRK: Mailutils answers an over-long PASS line by sending it back, and others quote the "unknown command".
 * So a reply is withheld whole, not edited, if it has any 8 bytes in a row (or all, of a shorter secret) of
 * the secret as it is, in base64 (at any alignment, as SASL has it), in hex or as a URL has it, in upper or lower case.
 */
export function showWithout(secret: string): Show {
  const parts = echoes(secret);
  return (bytes) => {
    const haystack = Buffer.from(bytes).toString('latin1').toLowerCase();
    return parts.some((part) => haystack.includes(part)) ? WITHHELD : escapeBytes(bytes);
  };
}

/** The same, for a line of SASL besides: its words are secret too, whatever they are made of. */
export function andWithout(show: Show, line: string): Show {
  if (line.length < ECHO_BYTES) return show;
  const without = showWithout(line);
  return (bytes) => (without(bytes) === WITHHELD ? WITHHELD : show(bytes));
}

function echoes(secret: string): string[] {
  const raw = Buffer.from(secret, 'utf8');
  const url = encodeURIComponent(secret.toWellFormed());
  const forms = [raw.toString('latin1'), raw.toString('hex'), url, ...base64Forms(raw)];
  const parts = new Set<string>();
  for (const form of forms.map((text) => text.toLowerCase())) {
    const length = Math.min(form.length, ECHO_BYTES);
    for (let at = 0; length > 0 && at + length <= form.length; at++) parts.add(form.slice(at, at + length));
  }
  return [...parts];
}

/** The characters of base64 that depend on the secret alone, for each of the three places it may begin. */
function base64Forms(raw: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), raw])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + raw.length) * 8) / 6);
    return whole.slice(first, last);
  });
}
