/**
 * Marked secrets, made at run time, and one search for them in whatever a program leaves behind: output, transcripts,
 * files, objects, state, events, logs. A test says what it left; the search knows every form.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** With characters that URLs, base64, JSON and shells write in another way. */
export function canary(): string {
  return `canary-${randomBytes(12).toString('hex')}+/=%"&é`;
}

/** In which forms `text` has the secret, in whole or, in base64, from any place on. */
export function formsIn(text: string | Buffer, secret: string): readonly string[] {
  const haystack = bytesOf(text).toString('latin1').toLowerCase();
  return [...formsOf(secret)].flatMap(([name, form]) => (haystack.includes(form) ? [name] : []));
}

/** As the search compares them: bytes, one per character, in lower case. */
export function formsOf(secret: string): ReadonlyMap<string, string> {
  // What is not ASCII may have got lost on the way; the rest is as bad.
  const parts = (secret.match(/[!-~]{12,}/g) ?? []).filter((part) => part !== secret);
  const forms = [
    ...formsOfWhole(secret),
    ...parts.flatMap((part) => formsOfWhole(part).map(([name, form]) => [`a part, ${name}`, form] as const)),
  ];
  return new Map(forms.map(([name, form]) => [name, Buffer.from(form).toString('latin1').toLowerCase()]));
}

function formsOfWhole(secret: string): (readonly [name: string, form: string])[] {
  const raw = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const hexOf = (sign: string, digits: number) => sign.charCodeAt(0).toString(16).padStart(digits, '0');
  return [
    ['raw', secret],
    ['json', json],
    ['ascii json', json.replace(/[^ -~]/g, (sign) => `\\u${hexOf(sign, 4)}`)],
    ['escaped', raw.toString('latin1').replace(/[^ -~]/g, (sign) => `\\x${hexOf(sign, 2)}`)],
    // Read as latin1 and written as UTF-8.
    ['utf8 twice', raw.toString('latin1')],
    ['url', encodeURIComponent(secret)],
    ['form', new URLSearchParams({ '': secret }).toString().slice(1)],
    ['hex', raw.toString('hex')],
    ...[0, 1, 2].flatMap((before) => encoded(raw, before)),
  ];
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

/** What SASL makes of a secret before it is sent, decoded: RFC 4616, XOAUTH2, RFC 7628. */
export function saslLines(user: string, secret: string): readonly string[] {
  return [
    `\0${user}\0${secret}`,
    `${user}\0${user}\0${secret}`,
    `user=${user}\x01auth=Bearer ${secret}\x01\x01`,
    `n,a=${user},\x01auth=Bearer ${secret}\x01\x01`,
  ];
}

/** What a program left: by name, its bytes. */
export type Leavings = ReadonlyMap<string, string | Buffer>;

/** The secrets of a test, and what made use of them: both are looked for. */
export class Canaries {
  /** By the secret: two of one name are both looked for. */
  readonly #names = new Map<string, string>();
  /** Of SASL, that were heard. */
  lines = 0;

  make(name: string): string {
    return this.add(name, canary());
  }

  add(name: string, secret: string): string {
    this.#names.set(secret, name);
    return secret;
  }

  /** A line of SASL as the client wrote it: what is made of a password can be tried on, too. */
  heard(line: string): void {
    // Shorter ones are no answers but acknowledgements.
    if (line.length < 16) return;
    this.lines += 1;
    this.add(`line ${this.lines} of SASL`, line);
  }

  /** One line for each that was found, with where and how; names alone, so that a failed test shows no secret. */
  foundIn(leavings: Leavings): readonly string[] {
    return [...leavings].flatMap(([place, content]) =>
      [...this.#names].flatMap(([secret, name]) =>
        formsIn(content, secret).map((form) => `${name} in ${place}: ${form}`),
      ),
    );
  }
}

/** Every file below, compressed ones as they read; but for those that are there to hold secrets. */
export async function filesBelow(folder: string, except: readonly string[] = []): Promise<Leavings> {
  const leavings = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const name = relative(folder, join(entry.parentPath, entry.name));
    if (!entry.isFile() || except.includes(name)) continue;
    const content = await readFile(join(folder, name));
    leavings.set(name, inflated(content));
    // A name may hold what a file must not.
    leavings.set(`the name of ${leavings.size}`, Buffer.from(name));
  }
  return leavings;
}

function inflated(content: Buffer): Buffer {
  return content[0] === 0x1f && content[1] === 0x8b ? gunzipSync(content) : content;
}

function bytesOf(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : text;
}
