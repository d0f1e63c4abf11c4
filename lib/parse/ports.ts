/** What parsing needs from outside. */
import type { Publisher } from '../events/port.ts';
import type { ParsedMail } from '../mail/documentShape.ts';
import type { UnparsableCode } from '../mail/parseLimits.ts';
import type { ObjectStore } from '../store/port.ts';

/** What a parser made of a message. */
export type Parsing =
  /** `contents`: of the parts that have an object, in their order. */
  | { readonly mail: ParsedMail; readonly contents: readonly Buffer[] }
  | { readonly unparsable: UnparsableCode };

export interface Parser {
  /**
   * `mail`: the pieces of a message. They are all there, so that time is never lost to a slow store. `timeMs`: how long it
   * may take. Rejects with ParserError alone, where no mail is to blame.
   */
  parse(mail: readonly Uint8Array[], timeMs: number): Promise<Parsing>;
}

/** The parser does not work, whatever the mail: a person must look. */
export class ParserError extends Error {
  override readonly name = 'ParserError';
  readonly code = 'E_PARSER';
}

export interface ParsePorts {
  readonly store: ObjectStore;
  readonly publisher: Publisher;
  readonly parser: Parser;
}

/** Of the process that is watched. */
export interface ParseClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, fire: () => void): () => void;
}
