/**
 * What is stored against what is on record, and both against what the server lists. Every object on record is read and
 * hashed; nothing is changed anywhere.
 */
import { createHash } from 'node:crypto';
import { VANISHED_KEPT_MS } from '../mailbox/bounds.ts';
import { mailPrefix, messageId, messagePrefix, stemOfKey } from '../mailbox/names.ts';
import type { Mailbox } from '../mailbox/settings.ts';
import type { Head, StoredRecord } from '../mailbox/state.ts';
import { StateFile } from '../mailbox/stateFile.ts';
import { StoreError } from '../store/port.ts';
import { AtOnce } from './atOnce.ts';
import { type PlanReport, type PlanRow, planMailbox } from './inspect.ts';
import type { FetchPorts } from './ports.ts';
import type { Trouble } from './report.ts';
import { StoreFailures } from './storeFailures.ts';
import { keyOfRecord } from './storing.ts';
import { troubleOf } from './trouble.ts';

/** Objects that are read at once: of each a piece of at most 1 MB is in memory. */
const READ_AT_ONCE = 8;

/** Of a content, to tell it from another one on record under the same key: 28 bits, which V8 keeps in place. */
const CONTENT_DIGITS = 7;

/** In place of a content: no record was seen. */
const UNCLAIMED = -1;

/** What is not as it should be. */
export const FINDINGS = {
  gone: 'on record, and not in the store',
  'other bytes': 'the object has other bytes than its record or its name says',
  unreadable: 'the store does not give it',
  unrecorded: 'in the store, and neither on record nor being fetched',
  'no message': 'its name is none that Mailferry gives',
} as const;

export type FindingKind = keyof typeof FINDINGS;

export interface Finding {
  readonly kind: FindingKind;
  readonly key: string;
  /** null: not known of an object that is not on record. */
  readonly uidl: string | null;
  readonly says: string;
}

/** What is listed by the server, by what a run would do with it. */
export interface Listed {
  readonly messages: number;
  readonly onRecord: { readonly keep: number; readonly delete: number };
  /** Actions of the plan. */
  readonly notOnRecord: Readonly<Partial<Record<PlanRow['action'], number>>>;
}

export interface VerifyReport {
  /** Records, each content of a UIDL once. */
  readonly onRecord: number;
  /** Of these, objects with exactly the bytes on record. */
  readonly same: number;
  readonly octets: number;
  readonly findings: Readonly<Record<FindingKind, number>>;
  /** Objects of attempts that are under way or were cut off: a run will announce them. */
  readonly begun: number;
  /** Older than records of mail that has left its server are kept; only a content in the name can be compared. */
  readonly outlived: number;
  /** null: not asked, or it could not be. */
  readonly listed: Listed | null;
  readonly notes: readonly string[];
  /** Of the server, or what kept this from its end. */
  readonly error: Trouble | null;
}

export interface VerifyOptions {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Whether the mail server is asked, too: one sign-in, no RETR. */
  readonly server: boolean;
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress: (read: number) => void;
}

/** Never rejects. */
export async function verifyMailbox(
  mailbox: Mailbox,
  ports: FetchPorts,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const verifying = new Verifying(mailbox.id, ports, options);
  try {
    // First what is there, then what is said of it: what a run stores meanwhile has an intent or a record by then.
    await verifying.list();
    const state = await StateFile.open(ports.store, mailbox.id, ports.clock);
    const { deadlineMs, signal } = options;
    if (options.server) verifying.noteListed(await planMailbox(mailbox, ports, { deadlineMs, signal }));
    await state.eachSegment((records) => verifying.take(records));
    await verifying.take(state.head.records);
    await verifying.takeRest(state.head);
    return verifying.report(null);
  } catch (error) {
    return verifying.report(troubleOf(error, mailbox.id));
  }
}

class Verifying {
  readonly #id: string;
  readonly #ports: FetchPorts;
  readonly #options: VerifyOptions;
  readonly #reading = new AtOnce(READ_AT_ONCE);
  /** Contents by stem, of all that is in the store or on record; a hundred bytes each. */
  readonly #contents = new Map<string, number>();
  readonly #found: Record<FindingKind, number> = {
    gone: 0,
    'other bytes': 0,
    unreadable: 0,
    unrecorded: 0,
    'no message': 0,
  };
  #plan: PlanReport | null = null;
  #listedUidls: ReadonlySet<string> = new Set();
  #read = 0;
  #onRecord = 0;
  #same = 0;
  #octets = 0;
  #begun = 0;
  #outlived = 0;
  readonly #failures = new StoreFailures();

  constructor(id: string, ports: FetchPorts, options: VerifyOptions) {
    this.#id = id;
    this.#ports = ports;
    this.#options = options;
  }

  async list(): Promise<void> {
    for await (const { key } of this.#ports.store.list(mailPrefix(this.#id))) {
      const stem = stemOfKey(this.#id, key);
      if (this.#options.signal.aborted) return;
      if (stem === null) this.#find('no message', key, null);
      else this.#contents.set(flat(stem), UNCLAIMED);
    }
  }

  noteListed(plan: PlanReport): void {
    this.#plan = plan;
    this.#listedUidls = new Set(plan.rows.map(({ uidl }) => uidl));
  }

  async take(records: Iterable<StoredRecord>): Promise<'enough' | undefined> {
    for (const record of records) {
      if (this.#options.signal.aborted) return 'enough';
      const key = keyOfRecord(this.#id, record);
      const stem = stemOfKey(this.#id, key) ?? '';
      const content = Number.parseInt(record.sha256.slice(0, CONTENT_DIGITS), 16);
      // One may be shown more than once.
      if (this.#contents.get(stem) === content) continue;
      this.#contents.set(flat(stem), content);
      this.#onRecord += 1;
      await this.#reading.add(() => this.#compare(key, record));
    }
    return undefined;
  }

  /** Those without a record. */
  async takeRest(head: Head): Promise<void> {
    const begun = begunIn(this.#id, head);
    // Where the state was lost, no age tells why there is no record.
    const keptMs = head.revision === 0 ? Number.POSITIVE_INFINITY : VANISHED_KEPT_MS;
    for (const [stem, content] of this.#contents) {
      if (this.#options.signal.aborted) break;
      if (content !== UNCLAIMED) continue;
      if (begun(stem)) this.#begun += 1;
      else await this.#reading.add(() => this.#judge(stem, keptMs));
    }
    await this.#reading.settled();
  }

  report(error: Trouble | null): VerifyReport {
    return {
      onRecord: this.#onRecord,
      same: this.#same,
      octets: this.#octets,
      findings: this.#found,
      begun: this.#begun,
      outlived: this.#outlived,
      listed: this.#plan && this.#plan.error === null ? listedIn(this.#plan) : null,
      notes: this.#plan?.notes ?? [],
      error: error ?? this.#plan?.error ?? null,
    };
  }

  async #compare(key: string, { uidl, octets, sha256 }: StoredRecord): Promise<void> {
    const seen = await this.#hash(key, uidl);
    if (seen === null) return;
    if (seen === 'gone') this.#find('gone', key, uidl);
    else if (seen.octets !== octets || seen.sha256 !== sha256) this.#find('other bytes', key, uidl);
    else {
      this.#same += 1;
      this.#octets += octets;
    }
  }

  async #judge(stem: string, keptMs: number): Promise<void> {
    const key = `${mailPrefix(this.#id)}${stem}.eml`;
    const seen = await this.#hash(key, null);
    // Removed since it was listed.
    if (seen === null || seen === 'gone') return;
    const [, named] = /-([0-9a-f]{64})$/.exec(stem) ?? [];
    if (named !== undefined && named !== seen.sha256) this.#find('other bytes', key, null);
    const ageMs = this.#ports.clock.now() - (seen.storedMs ?? 0);
    if (ageMs > keptMs) this.#outlived += 1;
    else this.#find('unrecorded', key, null);
  }

  /** Null: it was told that the store does not give it. Rejects with StoreError once that is so of many in a row. */
  async #hash(key: string, uidl: string | null): Promise<Hashed | 'gone' | null> {
    try {
      const object = await this.#ports.store.read(key);
      this.#read += 1;
      this.#options.onProgress(this.#read);
      if (object === null) return 'gone';
      const hash = createHash('sha256');
      let octets = 0;
      for await (const chunk of object.chunks) {
        hash.update(chunk);
        octets += chunk.length;
      }
      this.#failures.succeeded();
      return { octets, sha256: hash.digest('hex'), storedMs: object.storedMs };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#failures.failed(error);
      this.#find('unreadable', key, uidl, `${error.message} (${error.code})`);
      return null;
    }
  }

  #find(kind: FindingKind, key: string, uidl: string | null, says: string = FINDINGS[kind]): void {
    this.#found[kind] += 1;
    this.#options.onFinding({ kind, key, uidl, says: says + this.#onServer(uidl) });
  }

  /** Whether the mail can be had again. */
  #onServer(uidl: string | null): string {
    if (uidl === null || this.#plan === null || this.#plan.error !== null) return '';
    return this.#listedUidls.has(uidl) ? '; the server lists it still' : '; the server does not list it';
  }
}

/** A part of a string keeps the whole of it in memory. */
function flat(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

interface Hashed {
  readonly octets: number;
  readonly sha256: string;
  readonly storedMs: number | null;
}

/** Whether an open attempt may have put this object there. */
function begunIn(mailbox: string, { intents }: Head): (stem: string) => boolean {
  const ids = new Set<string>();
  const prefixes: string[] = [];
  const nameless = messagePrefix(mailbox, '').slice(mailPrefix(mailbox).length);
  for (const { uidl, contents = [] } of intents) {
    if (uidl !== '') ids.add(messageId(mailbox, uidl));
    else prefixes.push(...contents.map((mark) => `${nameless}-${mark}`));
  }
  return (stem) => ids.has(stem.split('-', 1)[0] ?? '') || prefixes.some((prefix) => stem.startsWith(prefix));
}

function listedIn({ rows, counts }: PlanReport): Listed {
  const { keep = 0, delete: deletes = 0, 'prove and delete': proves = 0, ...notOnRecord } = counts;
  return { messages: rows.length, onRecord: { keep, delete: deletes + proves }, notOnRecord };
}
