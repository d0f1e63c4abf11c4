/** The bounds of parsing. What is over one of the first four is not parsed at all; the others cut what they bound, and say so. */

/** Octets of a message. Twice what most providers accept; parent and child hold it once each, in a function of 512 MB. */
export const MAX_MAIL_BYTES = 50 * 1024 * 1024;

/** Of one header block, a message's or a part's. Usual ones have 5 KB; what mailparser does with 256 KB of hostile ones takes 0.1 s. */
export const MAX_HEADER_BYTES = 256 * 1024;

/** Parts, containers among them. mailparser's own bound is the same, and is reached later. */
export const MAX_PARTS = 1_000;

/** Multiparts within each other. Lists that forward forwarded digests reach ten. */
export const MAX_DEPTH = 64;

/** Of all text parts together, before they are decoded; a document is read into memory whole. What is cut is an object as well. */
export const MAX_TEXT_BYTES = 1024 * 1024;

/** Of one list of addresses. */
export const MAX_DOCUMENT_ADDRESSES = 1_000;

/** Of References, the nearest ones; of each list of URIs, the first. */
export const MAX_DOCUMENT_IDS = 1_000;

/** Of a report: recipients, and the octets that are looked at. */
export const MAX_RECIPIENTS = 100;
export const MAX_REPORT_BYTES = 64 * 1024;

/** Why a message has no document. Programs may rely on these. */
export const UNPARSABLE = {
  E_PARSE_TOO_LARGE: 'it has more octets than are parsed',
  E_PARSE_HEADERS: 'a header block of it is larger than any that is parsed',
  E_PARSE_PARTS: 'it has more parts than are parsed',
  E_PARSE_DEPTH: 'its parts lie deeper within each other than is parsed',
  E_PARSE_FAILED: 'the parser refused it',
  E_PARSE_MEMORY: 'the parser took more memory than it may, and was ended',
  E_PARSE_TIME: 'the parser took more time than it may, and was ended',
  E_PARSE_CRASHED: 'the parser died of it',
  E_PARSE_OUTPUT: 'what the parser gave is not a document',
  E_PARSE_GONE: 'the object is not there any more',
  E_PARSE_OTHER_BYTES: 'the object has other bytes than its event says',
} as const;

export type UnparsableCode = keyof typeof UNPARSABLE;

/** A message that is not parsed, whatever is tried. */
export class UnparsableError extends Error {
  override readonly name = 'UnparsableError';
  readonly code: UnparsableCode;

  constructor(code: UnparsableCode, options?: { cause?: unknown }) {
    super(UNPARSABLE[code], options);
    this.code = code;
  }
}
