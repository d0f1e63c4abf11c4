/** A session as a file for whoever must be shown it: what was said, without what signs in and without mail. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { addressesInWords, chainInWords, handshakeInWords } from '../lib/fetch/checkWords.ts';
import type { Mailbox } from '../lib/mailbox/settings.ts';
import type { Observe, Seen } from '../lib/pop3/observe.ts';
import { UsageError } from './exitCodes.ts';
import { printable } from './terminal.ts';

export interface Transcript {
  readonly observe: Observe;
  /** Why the file is not whole; null: it is. */
  close(): string | null;
}

interface Of {
  readonly mailbox: Pick<Mailbox, 'id' | 'host' | 'port' | 'tls'>;
  readonly cwd: string;
  readonly now: () => number;
}

/** For its owner alone. Throws UsageError where there is something of that name, or nothing can be written. */
export function openTranscript(path: string, { mailbox, cwd, now }: Of): Transcript {
  const file = created(resolve(cwd, path), path);
  const startedMs = now();
  let trouble: string | null = null;
  const write = (text: string) => {
    try {
      if (trouble === null) writeSync(file, `${text}\n`);
    } catch (error) {
      // Mail matters more than what is told of it.
      trouble = `${path} is not whole: ${error instanceof Error ? error.message : error}`;
    }
  };
  const { id, host, port, tls } = mailbox;
  write(
    `Transcript of ${id}: ${host}, port ${port}, tls ${tls}. Seconds since the start. C: said to the server, S: said by it.`,
  );
  write('What signs in is left out (***), mail is counted in octets. User names and UIDLs are shown.\n');
  return {
    observe: (seen) => {
      const at = ((now() - startedMs) / 1000).toFixed(3).padStart(9);
      for (const line of linesOf(seen, now())) write(`${at}  ${printable(line)}`);
    },
    close: () => {
      closeSync(file);
      return trouble;
    },
  };
}

function created(path: string, shown: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const words =
      error instanceof Error && 'code' in error && error.code === 'EEXIST'
        ? 'is there already, and is not overwritten: name another file, or remove it'
        : `cannot be written: ${error instanceof Error ? error.message : error}`;
    throw new UsageError(`--transcript: ${shown} ${words}.`, { cause: error });
  }
}

function linesOf(seen: Seen, nowMs: number): readonly string[] {
  switch (seen.what) {
    case 'addresses':
      return [`DNS: ${addressesInWords(seen.addresses)}`];
    case 'connected':
      return [`TCP: ${seen.address}, port ${seen.port}`];
    case 'handshake':
      return [
        `TLS: ${handshakeInWords(seen)}, ${seen.trusted ? 'trusted' : 'not trusted'}`,
        ...chainInWords(seen.chain, nowMs).map((line) => `     ${line}`),
      ];
    case 'said':
      return [`C: ${seen.line}`];
    case 'heard':
      return [`S: ${seen.line}`];
    case 'body':
      return [`S: (${seen.octets} octets, and the dot)`];
    case 'dropped':
      return [`(dropped: ${seen.words}; ${seen.code})`];
  }
}
