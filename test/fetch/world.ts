import type { Published, Publisher } from '../../lib/events/port.ts';
import type { MailferryEvent, MessageStored } from '../../lib/events/shapes.ts';
import { ByteBudget } from '../../lib/fetch/byteBudget.ts';
import type { Clock, FetchPorts } from '../../lib/fetch/ports.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { type RunOptions, runMailbox } from '../../lib/fetch/run.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { loadHead } from '../../lib/mailbox/head.ts';
import { type Mailbox, parseSettingsFile } from '../../lib/mailbox/settings.ts';
import type { Head } from '../../lib/mailbox/state.ts';
import { Secret, type Secrets, type Tokens } from '../../lib/secrets/port.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { tokensByReference } from '../secrets/tokensByReference.ts';
import { type Behaviour, bytesOf, type Fault, type ScriptedMessage } from '../servers/scripted.ts';
import { type MemoryServer, scriptedInMemory } from '../servers/scriptedMemory.ts';

/** A publisher that remembers what it accepted; `refuse` decides what it does not. */
export class RecordingPublisher implements Publisher {
  readonly durable = true;
  readonly accepted: MailferryEvent[] = [];
  proved = 0;
  refuse: (event: MailferryEvent) => string | null = () => null;

  async prove(): Promise<void> {
    this.proved += 1;
  }

  async publish(events: readonly MailferryEvent[]): Promise<readonly Published[]> {
    return events.map((event) => {
      const reason = this.refuse(event);
      if (reason !== null) return { accepted: false, reason };
      this.accepted.push(event);
      return { accepted: true };
    });
  }

  get stored(): MessageStored[] {
    return this.accepted.flatMap((event) => (event.detailType === 'Message Stored' ? [event.detail] : []));
  }
}

export interface WorldOptions {
  readonly messages?: readonly ScriptedMessage[];
  readonly behaviour?: Behaviour;
  readonly faults?: readonly Fault[];
  readonly settings?: Partial<Mailbox>;
  readonly store?: ObjectStore;
  /** Default: by reference, to the server's password. */
  readonly tokens?: Tokens;
}

/** One mailbox, its server, store and bus, and runs over them. The clock can be moved. */
export class World {
  readonly server: MemoryServer;
  readonly store: ObjectStore;
  readonly publisher = new RecordingPublisher();
  readonly mailbox: Mailbox;
  readonly #tokens: Tokens | undefined;
  /** Added to the machine's clock. */
  skewMs = 0;
  trust = { deletes: true, reason: '' };

  constructor(options: WorldOptions = {}) {
    this.server = scriptedInMemory({
      messages: options.messages ?? [],
      behaviour: options.behaviour ?? {},
      faults: options.faults ?? [],
    });
    this.store = options.store ?? memoryStore('bucket');
    this.#tokens = options.tokens;
    this.mailbox = mailboxNamed('inbox', { user: this.server.user, ...options.settings });
  }

  get clock(): Clock {
    return { ...systemClock, now: () => Date.now() + this.skewMs };
  }

  get ports(): FetchPorts {
    const secrets: Secrets = { read: async () => new Secret(this.server.password) };
    return {
      dial: async () => this.server.connect(),
      store: this.store,
      publisher: this.publisher,
      secrets,
      tokens: this.#tokens ?? tokensByReference(secrets),
      clock: this.clock,
      trust: async () => this.trust,
      inFlight: new ByteBudget(64 * 1024 * 1024),
    };
  }

  run(options: Partial<RunOptions> = {}, ports: Partial<FetchPorts> = {}): Promise<RunReport> {
    return runMailbox(
      this.mailbox,
      { ...this.ports, ...ports },
      { deadlineMs: this.clock.now() + 60_000, suspects: 'after', honourBackOff: false, ...options },
    );
  }

  async head(): Promise<Head> {
    return (await loadHead(this.store, this.mailbox.id)).head;
  }

  /** Every object under mail/, by key. */
  async objects(): Promise<Map<string, Buffer>> {
    const objects = new Map<string, Buffer>();
    for await (const { key } of this.store.list('mail/')) {
      const object = await this.store.read(key);
      const pieces: Uint8Array[] = [];
      if (object) for await (const chunk of object.chunks) pieces.push(chunk);
      objects.set(key, Buffer.concat(pieces));
    }
    return objects;
  }

  /** Contents that are stored, sorted, for comparing with what the server held. */
  async contents(): Promise<string[]> {
    return [...(await this.objects()).values()].map((bytes) => bytes.toString('latin1')).sort();
  }

  /** RETRs that the server was sent, over all sessions. */
  get retrieved(): number {
    return this.server.log.sessions.reduce(
      (sum, { commands }) => sum + commands.filter((line) => line.startsWith('RETR')).length,
      0,
    );
  }
}

export function mailboxNamed(id: string, settings: Partial<Mailbox>): Mailbox {
  const base = { id, host: 'pop.example.org', user: 'ferry', password: 'env:PASSWORD' };
  const [mailbox] = parseSettingsFile(
    { store: { folder: 'mail' }, mailboxes: [{ ...base, ...settings }] },
    'test',
  ).mailboxes;
  if (!mailbox) throw new Error('no mailbox');
  return mailbox;
}

export function contentsOf(messages: readonly ScriptedMessage[]): string[] {
  return messages.map((message) => bytesOf(message).toString('latin1')).sort();
}

/** Headers and a body, CRLF; enough for TOP to identify it. */
export function letter(name: string, body = `Body of ${name}\r\n`): string {
  return `Message-ID: <${name}@example.org>\r\nSubject: ${name}\r\n\r\n${body}`;
}
