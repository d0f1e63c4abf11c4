import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { envelope, MAX_DETAIL_BYTES, toJson } from '../../lib/events/envelope.ts';
import { DETAILS } from '../../lib/events/shapes.ts';
import { schemaFiles } from '../../scripts/schemaFiles.ts';
import {
  headerSummary,
  mailboxFailing,
  mailboxRecovered,
  messageParsed,
  messageSetAside,
  messageStored,
  messageTooLarge,
  messageUnparsable,
  runFinished,
} from './samples.ts';

const FOLDER = new URL('../../lib/events/schema/', import.meta.url);

describe('JSON Schemas', () => {
  it('are in the tree as the definitions give them now (npm run schema)', () => {
    const inTree = readdirSync(FOLDER).map((name) => ({
      name,
      text: readFileSync(new URL(name, FOLDER), 'utf8'),
    }));
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    expect(inTree.sort(byName)).toEqual([...schemaFiles()].sort(byName));
  });

  it('take fields that they do not name, at every level, for a version may gain some', () => {
    const closed: string[] = [];
    const visit = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      if ((value as Record<string, unknown>)['additionalProperties'] === false) closed.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}/${key}`);
    };
    for (const { name, text } of schemaFiles()) visit(JSON.parse(text), name);
    expect(closed).toEqual([]);
  });
});

describe('details', () => {
  const { detail } = messageStored('a');
  const { bucket, ...placeless } = detail;

  it.each([
    ['Message Stored', detail],
    ['Message Stored', { ...placeless, folder: '/srv/mail' }],
    ['Message Stored', { ...detail, headers: null, announcedSize: null, uidl: '\u0000\u00ff' }],
    ['Message Parsed', messageParsed('a').detail],
    ['Message Unparsable', messageUnparsable('a').detail],
    ['Message Set Aside', messageSetAside('a').detail],
    ['Message Too Large', messageTooLarge('a').detail],
    ['Mailbox Failing', mailboxFailing('a').detail],
    ['Mailbox Failing', { ...mailboxFailing('a').detail, diagnosis: undefined }],
    ['Mailbox Recovered', mailboxRecovered('a').detail],
    ['Run Finished', runFinished('r1').detail],
  ] as const)('%s: a true one passes', (detailType, value) => {
    expect(DETAILS[detailType].safeParse(value).error).toBeUndefined();
  });

  it.each([
    ['both bucket and folder', { ...detail, folder: '/srv/mail' }],
    ['neither bucket nor folder', placeless],
    ['an unknown field', { ...detail, password: 'x' }],
    ['another version', { ...detail, v: 2 }],
    ['a short id', { ...detail, id: detail.id.slice(1) }],
    ['a negative size', { ...detail, size: -1 }],
    ['a UIDL that is no bytes', { ...detail, uidl: '\u0100' }],
    ['a local time', { ...detail, storedAt: '2026-03-01T10:00:07+01:00' }],
    ['an unknown header', { ...detail, headers: { ...headerSummary(), bcc: null } }],
  ])('Message Stored: %s is refused', (_why, value) => {
    expect(DETAILS['Message Stored'].safeParse(value).success).toBe(false);
  });
});

describe('envelope', () => {
  it.each([
    [messageStored('a'), '2026-03-01T10:00:07.000Z'],
    [messageParsed('a'), '2026-03-01T10:00:07.000Z'],
    [messageUnparsable('a'), '2026-03-01T10:00:07.000Z'],
    [messageSetAside('a'), '2026-03-01T10:00:08.000Z'],
    [mailboxFailing('a'), '2026-03-01T10:00:09.000Z'],
    [mailboxRecovered('a'), '2026-03-01T12:00:09.000Z'],
    [runFinished('r1'), '2026-03-01T10:00:00.000Z'],
  ])('$detailType: its time is when it happened', (event, time) => {
    expect(envelope(event)).toEqual({
      source: 'mailferry',
      'detail-type': event.detailType,
      time,
      detail: event.detail,
    });
  });

  it('leaves a header summary out where it would make the event too large, and only there', () => {
    const detailOf = (length: number) =>
      envelope(messageStored('a', headerSummary({ subject: 'ü'.repeat(length) }))).detail;
    const base = Buffer.byteLength(toJson(detailOf(0)));
    const fits = Math.floor((MAX_DETAIL_BYTES - base) / 2);
    expect(detailOf(fits)).toHaveProperty('headers.subject');
    expect(detailOf(fits + 1)).toEqual({ ...messageStored('a').detail, headers: null });
  });

  it('has no lone surrogates, which strict JSON parsers refuse', () => {
    const text = toJson(envelope(messageStored('a', headerSummary({ subject: 'cut \ud83d' }))));
    expect(text).toContain('cut \ufffd');
    expect(text).not.toContain('\\ud83d');
  });
});
