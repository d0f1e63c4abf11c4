/** The leaves of a message to the parts of its document: what is text, what is an object, and what it is called. */
import type { ParsedMail, ParsedPart, Warning } from './documentShape.ts';
import { fileName, rawName } from './fileName.ts';
import { isTnef, smimeOf } from './kind.ts';
import type { Leaf } from './leaves.ts';
import { MAX_TEXT_BYTES } from './parseLimits.ts';
import { ReportReader } from './report.ts';
import { decodedText, type TextForm } from './textOf.ts';
import { verbatim } from './values.ts';

/** Where the contents of parts go, one after another, in the order of those parts that have an object. */
export interface Contents {
  write(chunk: Buffer): Promise<void>;
  /** The content of one part is whole. */
  end(): Promise<void>;
}

export class Parts {
  readonly found: ParsedPart[] = [];
  readonly warnings: Warning[] = [];
  readonly reports = new ReportReader();
  smime: ParsedMail['smime'] = null;
  tnef = false;
  readonly #contents: Contents;
  readonly #texts: string[] = [];
  #textRoom = MAX_TEXT_BYTES;

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  /** All text that is shown inline; null: there is none. */
  get text(): string | null {
    return this.#texts.length === 0 ? null : this.#texts.join('\n');
  }

  async take(leaf: Leaf): Promise<void> {
    const type = mediaType(leaf.type);
    const role = roleOf(leaf, type);
    this.smime ??= smimeOf({ value: type, params: leaf.params });
    this.tnef ||= isTnef(type, leaf.name);
    const hasObject = role === 'text' ? await this.#takeText(leaf) : await this.#takeObject(leaf, type);
    this.found.push({
      part: leaf.part,
      role,
      type,
      charset: bounded(leaf.params['charset']),
      name: role === 'attachment' ? fileName(leaf.name, type, leaf.part) : null,
      nameRaw: leaf.name === null ? null : rawName(leaf.name),
      disposition: bounded(leaf.disposition),
      contentId: bounded(leaf.contentId),
      related: leaf.related,
      hasObject,
    });
  }

  /** Whether the text had no room, and is an object. */
  async #takeText({ part, params, content }: Leaf): Promise<boolean> {
    const kept: Buffer[] = [];
    let octets = 0;
    for await (const chunk of content) {
      const room = this.#textRoom - octets;
      octets += chunk.length;
      if (octets <= this.#textRoom) kept.push(chunk);
      else {
        if (room >= 0) {
          for (const before of kept) await this.#contents.write(before);
          if (room > 0) kept.push(chunk.subarray(0, room));
        }
        await this.#contents.write(chunk);
      }
    }
    const cut = octets > this.#textRoom;
    this.#textRoom = Math.max(0, this.#textRoom - octets);
    if (cut) {
      await this.#contents.end();
      this.warnings.push({ code: 'text-cut', part });
    }
    const { text, guessed } = await decodedText(Buffer.concat(kept), formOf(params, cut));
    if (guessed) this.warnings.push({ code: 'charset', part });
    this.#texts.push(text);
    return cut;
  }

  async #takeObject({ content }: Leaf, type: string): Promise<true> {
    const head: Buffer[] = [];
    let room = this.reports.wants(type);
    const wanted = room > 0;
    for await (const chunk of content) {
      if (room > 0) head.push(chunk.subarray(0, room));
      room -= chunk.length;
      await this.#contents.write(chunk);
    }
    await this.#contents.end();
    if (wanted) this.reports.read(type, Buffer.concat(head));
    return true;
  }
}

/** A type and its subtype (RFC 2045 section 5.1). */
const MEDIA_TYPE = /^[^\s()<>@,;:\\"/[\]?=]+\/[^\s()<>@,;:\\"/[\]?=]+/;

/** QUIRK: parameters behind a blank or a comma. What is no type at all stays as it was written. */
function mediaType(written: string): string {
  const type = verbatim(written);
  return MEDIA_TYPE.exec(type)?.[0] ?? type;
}

/**
 * A named text file that is only shown inline is an attachment; the one leaf of a message is its body, whatever its name. What
 * is no media type is text (RFC 2045 section 5.2), an unknown disposition is an attachment's (RFC 2183 section 2.8).
 */
function roleOf({ disposition, name, isRoot }: Leaf, type: string): ParsedPart['role'] {
  const inline = /^(?:inline\b|\s*$)/.test(disposition ?? '');
  const shown = inline && (name === null || isRoot);
  if (shown && (type === 'text/plain' || !MEDIA_TYPE.test(type))) return 'text';
  return shown && type === 'text/html' ? 'html' : 'attachment';
}

function formOf(params: Leaf['params'], cut: boolean): TextForm {
  const is = (name: string, value: string) => params[name]?.trim().toLowerCase() === value;
  const delsp = is('delsp', 'yes') ? 'delsp' : 'yes';
  return { charset: bounded(params['charset']), flowed: is('format', 'flowed') ? delsp : 'no', cut };
}

/** Bounded, without controls; null for what is absent or empty. */
function bounded(given: string | null | undefined): string | null {
  return given === null || given === undefined ? null : verbatim(given) || null;
}
