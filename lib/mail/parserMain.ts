/** The process that parses one message: mail in on stdin, frames out on stdout, and nothing else of the world. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { FRAME, type FrameKind, frame } from './frames.ts';
import { UnparsableError } from './parseLimits.ts';
import { parseMail } from './parseMail.ts';

/** Content goes out in pieces that fill a pipe. */
const PIECE_BYTES = 64 * 1024;

export interface Pipes {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/** Resolves when everything is said. Rejects, and so ends the process, for what is nobody's fault but ours. */
export async function parseOne({ stdin, stdout }: Pipes): Promise<void> {
  const say = async (kind: FrameKind, payload?: Uint8Array) => {
    if (!stdout.write(frame(kind, payload))) await once(stdout, 'drain');
  };
  await say(FRAME.ready);
  try {
    const parsed = await parseMail(stdin as AsyncIterable<Buffer>, {
      write: async (chunk) => {
        for (let at = 0; at < chunk.length; at += PIECE_BYTES)
          await say(FRAME.content, chunk.subarray(at, at + PIECE_BYTES));
      },
      end: () => say(FRAME.end),
    });
    await say(FRAME.document, Buffer.from(JSON.stringify(parsed)));
  } catch (error) {
    // Whatever mailparser throws is about the mail; its words may quote it.
    const code = error instanceof UnparsableError ? error.code : 'E_PARSE_FAILED';
    await say(FRAME.unparsable, Buffer.from(code));
  }
  stdout.end();
  // What is left of the mail is not read: its sender sees the pipe close.
  stdin.destroy();
}
