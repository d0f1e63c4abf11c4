import { createHash } from 'node:crypto';
import type {
  HeaderSummary,
  MailboxFailing,
  MailboxRecovered,
  MailferryEvent,
  MessageParsed,
  MessageSetAside,
  MessageStored,
  MessageTooLarge,
  MessageUnparsable,
  RunFinished,
} from '../../lib/events/shapes.ts';

export function hex64(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

export function headerSummary(changes: Partial<HeaderSummary> = {}): HeaderSummary {
  return {
    from: [{ name: 'Ada Lovelace', address: 'ada@example.org' }],
    to: [{ name: null, address: 'tickets@example.net' }],
    cc: null,
    replyTo: null,
    subject: 'The engine',
    date: '2026-03-01T10:00:00.000Z',
    dateRaw: 'Sun, 1 Mar 2026 11:00:00 +0100',
    dateZone: 'known',
    messageId: '1@example.org',
    inReplyTo: null,
    references: ['0@example.org'],
    listId: null,
    autoSubmitted: null,
    ...changes,
  };
}

export function messageStored(name: string, headers: HeaderSummary | null = headerSummary()) {
  const detail = {
    v: 1,
    id: hex64(name),
    mailbox: 'tickets',
    uidl: name,
    bucket: 'mail-bucket',
    key: `mail/tickets/${hex64(name).slice(0, 32)}.eml`,
    size: 1200,
    sha256: hex64(`bytes of ${name}`),
    announcedSize: 1200,
    short: false,
    storedAt: '2026-03-01T10:00:07.000Z',
    headers,
  } as const satisfies MessageStored;
  return { detailType: 'Message Stored', detail } as const satisfies MailferryEvent;
}

export function messageParsed(name: string) {
  const stem = hex64(name).slice(0, 32);
  const detail = {
    v: 1,
    id: hex64(`document of ${name}`),
    mailbox: 'tickets',
    bucket: 'mail-bucket',
    key: `mail/tickets/${stem}.eml`,
    sha256: hex64(`bytes of ${name}`),
    storedAt: '2026-03-01T10:00:07.000Z',
    document: `parsed/tickets/2026/03/01/${stem}/document.json`,
    documentSize: 900,
    documentSha256: hex64(`bytes of the document of ${name}`),
    kind: 'mail',
    attachments: 1,
    warnings: ['charset'],
  } as const satisfies MessageParsed;
  return { detailType: 'Message Parsed', detail } as const satisfies MailferryEvent;
}

export function messageUnparsable(name: string) {
  const detail = {
    v: 1,
    id: hex64(`no document of ${name}`),
    mailbox: 'tickets',
    folder: '/srv/mail',
    key: `mail/tickets/${hex64(name).slice(0, 32)}.eml`,
    storedAt: '2026-03-01T10:00:07.000Z',
    code: 'E_PARSE_DEPTH',
    reason: 'The message was not parsed.',
  } as const satisfies MessageUnparsable;
  return { detailType: 'Message Unparsable', detail } as const satisfies MailferryEvent;
}

export function messageTooLarge(name: string) {
  const detail = {
    v: 1,
    id: hex64(name),
    mailbox: 'tickets',
    uidl: name,
    size: 5_000,
    limit: 4_000,
    since: '2026-03-01T10:00:07.000Z',
  } as const satisfies MessageTooLarge;
  return { detailType: 'Message Too Large', detail } as const satisfies MailferryEvent;
}

export function messageSetAside(name: string) {
  const detail = {
    v: 1,
    id: hex64(name),
    mailbox: 'tickets',
    uidl: name,
    size: null,
    attempts: 3,
    code: 'E_POP3_REFUSED',
    reason: 'RETR was refused three times.',
    since: '2026-03-01T10:00:08.000Z',
  } as const satisfies MessageSetAside;
  return { detailType: 'Message Set Aside', detail } as const satisfies MailferryEvent;
}

export function mailboxFailing(name: string) {
  const detail = {
    v: 1,
    id: hex64(name),
    mailbox: 'tickets',
    since: '2026-03-01T10:00:09.000Z',
    failures: 3,
    kind: 'person',
    code: 'E_POP3_AUTH',
    phase: 'sign-in',
    reason: 'sign-in (PASS): the server refused.',
    diagnosis: {
      step: 'sign-in',
      says: '-ERR [AUTH] no',
      next: 'Check the user name and the password; the server says it is these.',
      facts: { code: 'E_POP3_AUTH', host: 'pop.example.org', port: '995', tls: 'implicit' },
    },
  } as const satisfies MailboxFailing;
  return { detailType: 'Mailbox Failing', detail } as const satisfies MailferryEvent;
}

export function mailboxRecovered(name: string) {
  const detail = {
    v: 1,
    id: hex64(name),
    mailbox: 'tickets',
    since: '2026-03-01T10:00:09.000Z',
    at: '2026-03-01T12:00:09.000Z',
  } as const satisfies MailboxRecovered;
  return { detailType: 'Mailbox Recovered', detail } as const satisfies MailferryEvent;
}

export function runFinished(id: string) {
  const detail = {
    v: 1,
    id,
    mailbox: 'tickets',
    startedAt: '2026-03-01T10:00:00.000Z',
    durationMs: 9_500,
    outcome: 'failed',
    counts: { listed: 3, stored: 1, alreadyStored: 1, skipped: 0, setAside: 0, failed: 1, notReached: 0 },
    deletions: { requested: 1, committed: 0 },
    bytesStored: 1200,
    error: { code: 'E_POP3_LOST', phase: 'quit', message: 'The line dropped.' },
  } as const satisfies RunFinished;
  return { detailType: 'Run Finished', detail } as const satisfies MailferryEvent;
}

/** Stored messages named "<prefix>0", "<prefix>1" and so on. */
export function manyStored(count: number, prefix = 'm') {
  return Array.from({ length: count }, (_, index) => messageStored(`${prefix}${index}`));
}
