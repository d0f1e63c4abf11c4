/**
 * A message to what its document says, and the contents of its parts. Hostile mail is expected: this runs in a process
 * of its own, and whoever reads what it gives must not trust it.
 */
import { documentHeaders } from './documentHeaders.ts';
import type { ParsedMail, Warning } from './documentShape.ts';
import { kindOf, smimeOf } from './kind.ts';
import { eachLeaf } from './leaves.ts';
import { MAX_HEADER_BYTES } from './parseLimits.ts';
import { type Contents, Parts } from './parts.ts';
import { Structure } from './structure.ts';

/** Rejects with UnparsableError, or with what `mail` or `contents` rejected with. */
export async function parseMail(mail: AsyncIterable<Buffer>, contents: Contents): Promise<ParsedMail> {
  const structure = new Structure();
  const parts = new Parts(contents);
  const head: Buffer[] = [];
  const root = await eachLeaf(beginning(mail, head), structure, (leaf) => parts.take(leaf));
  const read = documentHeaders(Buffer.concat(head));
  const report = parts.reports.report(root);
  const warnings: Warning[] = [...parts.warnings];
  if (parts.found.length === 0 && structure.hasBody) warnings.unshift({ code: 'no-content', part: null });
  if (structure.unclosed) warnings.push({ code: 'unclosed', part: null });
  return {
    kind: kindOf(read, report),
    headers: read.headers,
    report,
    smime: smimeOf(root) ?? parts.smime,
    tnef: parts.tnef,
    text: parts.text,
    warnings,
    parts: parts.found,
  };
}

/** Passes the bytes on and keeps the first MAX_HEADER_BYTES. */
async function* beginning(mail: AsyncIterable<Buffer>, kept: Buffer[]): AsyncGenerator<Buffer> {
  let room = MAX_HEADER_BYTES;
  for await (const chunk of mail) {
    if (room > 0) kept.push(chunk.subarray(0, room));
    room -= chunk.length;
    yield chunk;
  }
}
