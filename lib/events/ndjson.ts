/**
 * Events in a file: newline-delimited JSON, each line as ./envelope.ts has it, appended and synced.
 *
 * For readers of the file:
 * - A line that is empty or is not JSON is to be passed over. The first is where two processes met; the second is
 *   what a crash left of a line that was never acknowledged: its event stands whole on a later line.
 * - A last line without its newline is not finished: come back.
 * - Several processes may append at once: each write has whole lines only, and O_APPEND puts them one after the
 *   other. QUIRK: NFS has no atomic append; there, one process at a time.
 */
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { appender, groupCommit } from './append.ts';
import { envelope, toJson } from './envelope.ts';
import { writeError } from './ndjsonErrors.ts';
import type { Published, Publisher } from './port.ts';
import type { MailferryEvent } from './shapes.ts';

const ACCEPTED: Published = { accepted: true };

/** Accepted means: written as whole lines and synced, the file's name too. The folder is made if it is missing. */
export function ndjsonFile(path: string): Publisher {
  const append = groupCommit(appender(resolve(path)));
  return {
    durable: true,
    prove: () => append(Buffer.alloc(0)),
    async publish(events) {
      if (events.length === 0) return [];
      await append(Buffer.from(toLines(events)));
      return events.map(() => ACCEPTED);
    },
  };
}

/**
 * Events to stdout, or any stream: newline-delimited JSON as in a file. Accepted means only that the stream took
 * them, so nothing may be deleted on the strength of it. A reader that stands still makes `publish` wait with it.
 */
export function ndjsonStream(writable: Writable): Publisher {
  let broken: Error | undefined = writable.errored ?? undefined;
  // Without a listener, a reader that goes away (EPIPE) would end the process, mailboxes half fetched.
  writable.on('error', (error) => {
    broken ??= error;
  });

  const write = (text: string) =>
    new Promise<void>((done, failed) => {
      if (broken) failed(writeError(broken, 'the output'));
      else {
        writable.write(text, (error) => (error ? failed(writeError(error, 'the output')) : done()));
      }
    });

  return {
    durable: false,
    prove: () => write(''),
    async publish(events) {
      if (events.length > 0) await write(toLines(events));
      return events.map(() => ACCEPTED);
    },
  };
}

function toLines(events: readonly MailferryEvent[]): string {
  return events.map((event) => `${toJson(envelope(event))}\n`).join('');
}
