import { resolve } from 'node:path';
import { StoreFailures } from '../../lib/fetch/storeFailures.ts';
import { StoreError } from '../../lib/store/port.ts';
import { EXIT, type ExitCode, UsageError } from '../exitCodes.ts';
import { type Destination, ExportError } from '../exported.ts';
import { maildir } from '../maildir.ts';
import { mboxFile } from '../mboxFile.ts';
import { type Opening, readAhead } from '../readAhead.ts';
import { type StoredKey, storedKeys } from '../storedKeys.ts';
import { bytesInWords, countInWords } from '../words.ts';
import type { Call } from './command.ts';

/** Writes stored mail out, whatever is on record. Neither a mail server nor the state is asked. */
export async function exportCommand(call: Call): Promise<ExitCode> {
  let destination: Destination | undefined;
  try {
    destination = await destinationOf(call);
    return await exportAll(call, destination);
  } catch (error) {
    await destination?.abandon();
    if (!(error instanceof StoreError || error instanceof ExportError)) throw error;
    const { code, message } = error;
    if (call.json) call.terminal.json({ error: { code, message } });
    else call.terminal.out(`✗ ${message} (${code})`);
    return error instanceof StoreError && error.kind !== 'person' ? EXIT.later : EXIT.person;
  }
}

async function exportAll(call: Call, destination: Destination): Promise<ExitCode> {
  const exporting = new Exporting(call, destination);
  for (const { id } of call.mailboxes) if (!call.signal.aborted) await exporting.all(id);
  if (call.signal.aborted) {
    await destination.abandon();
    return EXIT.interrupted;
  }
  await destination.end();
  return exporting.hasFailed ? EXIT.messages : EXIT.done;
}

function destinationOf({ into: { mbox, maildir: folder }, cwd, ports }: Call): Promise<Destination> {
  if (mbox !== undefined && folder === undefined) return mboxFile(resolve(cwd, mbox), ports.clock.nonce());
  if (folder !== undefined && mbox === undefined) return maildir(resolve(cwd, folder));
  throw new UsageError('Where to: mailferry export [ID …] --mbox FILE, or --maildir FOLDER.');
}

interface Count {
  written: number;
  octets: number;
  /** By an earlier command. */
  there: number;
  failed: number;
}

class Exporting {
  readonly #call: Call;
  readonly #destination: Destination;
  readonly #failures = new StoreFailures();
  hasFailed = false;

  constructor(call: Call, destination: Destination) {
    this.#call = call;
    this.#destination = destination;
  }

  /** Rejects with StoreError where the store fails for many in a row, and with ExportError. */
  async all(id: string): Promise<void> {
    const { ports, signal, terminal, json } = this.#call;
    const count: Count = { written: 0, octets: 0, there: 0, failed: 0 };
    const openings = readAhead(ports.store, this.#missing(id, count));
    const writeSome = async () => {
      for await (const opening of openings) {
        if (signal.aborted) break;
        await this.#write(id, opening, count);
        terminal.live(`${id}: ${countInWords(count.written, 'message')} written`);
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#destination.atOnce }, writeSome));
    } finally {
      terminal.live('');
    }
    if (json) terminal.json({ mailbox: id, ...count });
    else terminal.out(inWords(id, count));
  }

  async *#missing(id: string, count: Count): AsyncGenerator<StoredKey> {
    for await (const stored of storedKeys(this.#call.ports.store, id, this.#call.chosen.messageId)) {
      if (this.#destination.has(id, stored.stem)) count.there += 1;
      else yield stored;
    }
  }

  async #write(mailbox: string, { stored, open }: Opening, count: Count): Promise<void> {
    const { sinceMs } = this.#call.chosen;
    try {
      const object = await open();
      if (object === null) return;
      const storedMs = object.storedMs ?? 0;
      if (sinceMs !== null && storedMs < sinceMs) {
        // Begun and left, so that a connection is free again.
        for await (const _ of object.chunks) break;
        return;
      }
      await this.#destination.put({ ...stored, mailbox, storedMs, chunks: object.chunks });
      count.written += 1;
      count.octets += object.size;
      this.#failures.succeeded();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#failures.failed(error);
      this.#tell(mailbox, stored.key, error);
      count.failed += 1;
    }
  }

  #tell(mailbox: string, key: string, { message, code }: StoreError): void {
    const { terminal, json } = this.#call;
    this.hasFailed = true;
    if (json) terminal.json({ mailbox, key, error: { code, message } });
    else terminal.out(`✗ ${mailbox}: ${message} (${code})`);
  }
}

function inWords(id: string, { written, octets, there, failed }: Count): string {
  const more = [
    ...(there === 0 ? [] : [`${there.toLocaleString('en-US')} there already`]),
    ...(failed === 0 ? [] : [`${failed.toLocaleString('en-US')} could not be read`]),
  ];
  return [`${id}: ${countInWords(written, 'message')} written (${bytesInWords(octets)})`, ...more].join(', ');
}
