/** The parser without its process: what it makes of bytes, and a stand-in for the process where that is not the subject. */
import type { ParsedMail } from '../../lib/mail/documentShape.ts';
import { type UnparsableCode, UnparsableError } from '../../lib/mail/parseLimits.ts';
import { parseMail } from '../../lib/mail/parseMail.ts';
import type { Parser } from '../../lib/parse/ports.ts';

export type Parsed =
  | { readonly mail: ParsedMail; readonly contents: Buffer[] }
  | { readonly unparsable: UnparsableCode };

/** In chunks of so many octets. */
export async function parsed(bytes: Uint8Array, chunkBytes = 64 * 1024): Promise<Parsed> {
  const contents: Buffer[] = [];
  let pieces: Buffer[] = [];
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes)
      yield Buffer.from(bytes.subarray(at, at + chunkBytes));
  }
  try {
    const mail = await parseMail(chunks(), {
      write: async (chunk) => void pieces.push(Buffer.from(chunk)),
      end: async () => {
        contents.push(Buffer.concat(pieces));
        pieces = [];
      },
    });
    return { mail, contents };
  } catch (error) {
    if (error instanceof UnparsableError) return { unparsable: error.code };
    throw error;
  }
}

export const inThisProcess: Parser = { parse: (mail) => parsed(Buffer.concat(mail)) };
