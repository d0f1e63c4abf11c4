/** The process that parses one message: mail in on stdin, frames out on stdout, and nothing else of the world. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { FRAME, type FrameKind, frame } from './frames.ts';
import { UnparsableError } from './parseLimits.ts';
import { parseMail } from './parseMail.ts';

/** Content goes out in pieces of at least that, or of a part: each frame costs its reader something. */
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
  let held: Buffer[] = [];
  let octets = 0;
  const flush = async () => {
    if (octets > 0) await say(FRAME.content, Buffer.concat(held));
    held = [];
    octets = 0;
  };
  await say(FRAME.ready);
  try {
    const parsed = await parseMail(stdin as AsyncIterable<Buffer>, {
      write: async (chunk) => {
        held.push(chunk);
        octets += chunk.length;
        if (octets >= PIECE_BYTES) await flush();
      },
      end: async () => {
        await flush();
        await say(FRAME.end);
      },
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
