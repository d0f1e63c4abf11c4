/** A secret that is easy to look for, and the looking. */
import { randomBytes } from 'node:crypto';

/** With characters that URLs, base64 and shells write in another way. */
export function canary(): string {
  return `canary-${randomBytes(12).toString('hex')}+/=%é`;
}

/** In which forms `text` has the secret, in whole or, in base64, from any place on. */
export function formsIn(text: string, secret: string): readonly string[] {
  const raw = Buffer.from(secret);
  const forms: Readonly<Record<string, string>> = {
    raw: secret,
    latin1: raw.toString('latin1'),
    json: JSON.stringify(secret).slice(1, -1),
    url: encodeURIComponent(secret),
    hex: raw.toString('hex'),
    ...Object.fromEntries([0, 1, 2].flatMap((before) => encoded(raw, before))),
  };
  const haystack = text.toLowerCase();
  return Object.entries(forms).flatMap(([name, form]) =>
    haystack.includes(form.toLowerCase()) ? [name] : [],
  );
}

/** Without the characters that depend on what stands around it. */
function encoded(raw: Buffer, before: number): (readonly [string, string])[] {
  const whole = Buffer.concat([Buffer.alloc(before), raw]);
  const from = Math.ceil((before * 8) / 6);
  const to = Math.floor((whole.length * 8) / 6);
  return (['base64', 'base64url'] as const).map((form) => [
    `${form} at ${before}`,
    whole.toString(form).slice(from, to),
  ]);
}
