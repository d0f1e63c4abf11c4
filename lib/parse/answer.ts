/** What a parser's process said, gathered and believed only once it is whole and has its shape. */
import { parsedMail } from '../mail/documentShape.ts';
import { FRAME, type Frame, FrameError, FrameReader } from '../mail/frames.ts';
import { UNPARSABLE, type UnparsableCode } from '../mail/parseLimits.ts';
import type { Parsing } from './ports.ts';

/** Beside the contents, which are never more than the mail: the last frame, and the headers of all. */
const SLACK_BYTES = 32 * 1024 * 1024;

/** A mail of MAX_MAIL_BYTES in MAX_PARTS gives less than half of that; each costs memory here, however few octets it has. */
const MAX_FRAMES = 8_000;

export class Answer {
  readonly #reader = new FrameReader();
  readonly #mostBytes: number;
  #octets = 0;
  #frames = 0;
  #contentBytes = 0;
  #pieces: Buffer[] = [];
  readonly #contents: Buffer[] = [];
  #last: Frame | null = null;
  isReady = false;

  /** `mostContent`: octets of all contents together. */
  constructor(mostContent: number) {
    this.#mostBytes = mostContent;
  }

  /** Throws FrameError as soon as it cannot be an answer. */
  take(chunk: Buffer): void {
    this.#octets += chunk.length;
    if (this.#octets > this.#mostBytes + SLACK_BYTES) throw new FrameError('more octets than the mail');
    for (const frame of this.#reader.read(chunk)) this.#frame(frame);
  }

  /** Undefined: it broke off. Throws FrameError for what is no answer. */
  end(): Parsing | undefined {
    if (this.#last === null) return undefined;
    const text = this.#last.payload.toString();
    if (this.#last.kind === FRAME.unparsable) return { unparsable: codeOf(text) };
    const mail = mailOf(text);
    const expected = mail.parts.filter(({ hasObject }) => hasObject).length;
    if (!this.#reader.isEmpty || this.#pieces.length > 0 || this.#contents.length !== expected)
      throw new FrameError('contents that are not those of the parts');
    return { mail, contents: this.#contents };
  }

  #frame(frame: Frame): void {
    if (this.#last !== null) throw new FrameError('a frame behind the last');
    this.#frames += 1;
    if (this.#frames > MAX_FRAMES) throw new FrameError('more frames than a mail gives');
    switch (frame.kind) {
      case FRAME.ready:
        this.isReady = true;
        break;
      case FRAME.content:
        this.#contentBytes += frame.payload.length;
        if (this.#contentBytes > this.#mostBytes) throw new FrameError('more content than mail');
        this.#pieces.push(frame.payload);
        break;
      case FRAME.end:
        this.#contents.push(Buffer.concat(this.#pieces));
        this.#pieces = [];
        break;
      default:
        this.#last = frame;
    }
  }
}

function codeOf(text: string): UnparsableCode {
  const known = (Object.keys(UNPARSABLE) as UnparsableCode[]).find((code) => code === text);
  if (known === undefined) throw new FrameError('a reason that there is not');
  return known;
}

function mailOf(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FrameError('a document that is not JSON', { cause: error });
  }
  const parsed = parsedMail.safeParse(value);
  if (!parsed.success) throw new FrameError('a document without its shape', { cause: parsed.error });
  return parsed.data;
}
