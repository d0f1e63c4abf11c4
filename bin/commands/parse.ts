import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parserProgram } from '../../functions/parser.ts';
import { PublisherError } from '../../lib/events/port.ts';
import { StoreFailures } from '../../lib/fetch/storeFailures.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { parserProcess } from '../../lib/parse/parserProcess.ts';
import { NotAnnouncedError, type Outcome, parseStored } from '../../lib/parse/parseStored.ts';
import { type ParsePorts, ParserError } from '../../lib/parse/ports.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { EXIT, type ExitCode, worst } from '../exitCodes.ts';
import { storedKeys } from '../storedKeys.ts';
import { countInWords } from '../words.ts';
import type { Call } from './command.ts';

/** Each has a process that takes a core, and up to 256 MB. */
const AT_ONCE = Math.min(4, availableParallelism());

/** Parses what is stored of each mailbox, whether or not it was parsed before, and announces it. */
export async function parseCommand(call: Call): Promise<ExitCode> {
  const { store, publisher } = call.ports;
  const parser = parserProcess(parserProgram(ownFile(), systemClock));
  const codes: ExitCode[] = [];
  for (const { id } of call.mailboxes) {
    if (call.signal.aborted) break;
    codes.push(await parseMailbox(call, id, { store, publisher, parser }));
  }
  return call.signal.aborted ? EXIT.interrupted : worst(codes);
}

/** What was started: the bundle, or among the sources the file beside main.ts. */
function ownFile(): string {
  const here = import.meta.filename;
  return here.endsWith('.ts') ? join(dirname(here), '..', 'mailferry.ts') : here;
}

interface Count {
  parsed: number;
  unparsable: number;
  /** The store does not give them. */
  failed: number;
}

async function parseMailbox(call: Call, id: string, ports: ParsePorts): Promise<ExitCode> {
  const { terminal, json, signal } = call;
  const count: Count = { parsed: 0, unparsable: 0, failed: 0 };
  const keys = chosenKeys(ports.store, id, call.chosen);
  const failures = new StoreFailures();
  const parseSome = async () => {
    for await (const key of keys) {
      if (signal.aborted) break;
      try {
        tell(call, await parseStored({ mailbox: id, key, sha256: null, storedMs: null }, ports), count);
        failures.succeeded();
      } catch (error) {
        if (!isOfMessage(error, key)) throw error;
        failures.failed(error);
        count.failed += 1;
        tellFailure(call, { id, key }, error);
      }
      terminal.live(`${id}: ${countInWords(count.parsed, 'message')} parsed`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, parseSome));
  } catch (error) {
    return trouble(call, id, error);
  } finally {
    terminal.live('');
  }
  if (!json) terminal.out(inWords(id, count));
  return count.unparsable + count.failed > 0 ? EXIT.messages : EXIT.done;
}

/** Its own object cannot be read, or what an earlier time made of it is damaged: others are none the worse. */
function isOfMessage(error: unknown, key: string): error is StoreError {
  return error instanceof StoreError && (error.key === key || error.code === 'E_STORE_DAMAGED');
}

function tellFailure(
  { terminal, json }: Call,
  { id, key }: { readonly id: string; readonly key: string },
  { message, code }: StoreError,
): void {
  if (json) terminal.json({ mailbox: id, key, error: { code, message } });
  else terminal.out(`✗ ${id}: ${message} (${code})`);
}

function tell({ terminal, json }: Call, outcome: Outcome, count: Count): void {
  if ('parsed' in outcome) {
    count.parsed += 1;
    if (json) terminal.json(outcome.parsed);
    return;
  }
  count.unparsable += 1;
  const { mailbox, key, reason, code } = outcome.unparsable;
  if (json) terminal.json(outcome.unparsable);
  else terminal.out(`✗ ${mailbox}: ${key}: ${reason} (${code})`);
}

function inWords(id: string, { parsed, unparsable, failed }: Count): string {
  const rest = unparsable === 0 ? '' : `, ${unparsable.toLocaleString('en-US')} cannot be parsed`;
  const lost = failed === 0 ? '' : `, ${failed.toLocaleString('en-US')} could not be read`;
  return `${id}: ${countInWords(parsed, 'message')} parsed${rest}${lost}`;
}

async function* chosenKeys(
  store: ObjectStore,
  mailbox: string,
  { messageId, sinceMs }: Call['chosen'],
): AsyncGenerator<string> {
  for await (const { key } of storedKeys(store, mailbox, messageId))
    if (sinceMs === null || (await storedSince(store, key, sinceMs))) yield key;
}

async function storedSince(store: ObjectStore, key: string, sinceMs: number): Promise<boolean> {
  try {
    const object = await store.read(key);
    // Begun and left, so that a connection is free again.
    for await (const _ of object?.chunks ?? []) break;
    return object !== null && (object.storedMs ?? Number.POSITIVE_INFINITY) >= sinceMs;
  } catch (error) {
    // Whoever parses it meets it again, and tells.
    if (error instanceof StoreError) return true;
    throw error;
  }
}

/** No mail's fault: the next one would meet the same. */
function trouble({ terminal, json }: Call, id: string, error: unknown): ExitCode {
  const known =
    error instanceof StoreError ||
    error instanceof PublisherError ||
    error instanceof ParserError ||
    error instanceof NotAnnouncedError;
  if (!known) throw error;
  const { code, message } = error;
  if (json) terminal.json({ mailbox: id, error: { code, message } });
  else terminal.out(`✗ ${id}: ${message} (${code})`);
  const later = error instanceof NotAnnouncedError || ('kind' in error && error.kind !== 'person');
  return later ? EXIT.later : EXIT.person;
}
