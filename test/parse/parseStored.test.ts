/** Stored mail to documents in a folder, by the parser without its process. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MailferryEvent } from '../../lib/events/shapes.ts';
import { DETAILS } from '../../lib/events/shapes.ts';
import { mailDocument } from '../../lib/mail/documentShape.ts';
import { MAX_MAIL_BYTES } from '../../lib/mail/parseLimits.ts';
import { messageKey, messageKeyByContent } from '../../lib/mailbox/names.ts';
import { NotAnnouncedError, parseStored } from '../../lib/parse/parseStored.ts';
import type { ParsePorts } from '../../lib/parse/ports.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { folderStore } from '../../lib/store/folder.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { inThisProcess } from './parsing.ts';

const STORED = new Date('2026-03-01T23:59:59.000Z');
const STEM = messageKey('box', 'u1').slice('mail/box/'.length, -'.eml'.length);
const FOLDER = `parsed/box/2026/03/01/${STEM}`;
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const MAIL = Buffer.from(
  `Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n${`--b\r\nContent-Type: image/png; name="../p.png"\r\nContent-Transfer-Encoding: base64\r\n\r\n${PNG.toString('base64')}\r\n`.repeat(2)}--b--\r\n`,
);

async function world(bytes: Uint8Array = MAIL, key = messageKey('box', 'u1')) {
  const folder = await mkdtemp(join(tmpdir(), 'parse-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = folderStore(folder, { random: Math.random });
  await mkdir(dirname(join(folder, key)), { recursive: true });
  await writeFile(join(folder, key), bytes);
  await utimes(join(folder, key), STORED, STORED);
  const events: MailferryEvent[] = [];
  const ports: ParsePorts = {
    store,
    parser: inThisProcess,
    publisher: {
      durable: true,
      prove: async () => {},
      publish: async (some) => {
        for (const { detailType, detail } of some)
          expect(DETAILS[detailType].safeParse(detail).error).toBeUndefined();
        events.push(...some);
        return some.map(() => ({ accepted: true }));
      },
    },
  };
  const mail = { mailbox: 'box', key, sha256: digestOf(bytes).sha256, storedMs: 0 };
  const files = async () =>
    (await readdir(join(folder, 'parsed'), { recursive: true, withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
  return { folder, store, ports, events, mail, files };
}

describe('a stored message', () => {
  it('becomes a document and an object for each content, filed by when it was stored', async () => {
    const { folder, ports, events, mail, files } = await world();
    const outcome = await parseStored(mail, ports);
    const { sha256 } = digestOf(PNG);
    expect(await files()).toEqual([`${FOLDER}/${sha256}`, `${FOLDER}/document.json`]);
    expect(await readFile(join(folder, FOLDER, sha256))).toEqual(PNG);
    const text = await readFile(join(folder, FOLDER, 'document.json'));
    const document = mailDocument.parse(JSON.parse(text.toString()));
    const png = {
      role: 'attachment',
      name: 'p.png',
      nameRaw: '../p.png',
      size: 8,
      sha256,
      key: `${FOLDER}/${sha256}`,
    };
    expect(document).toMatchObject({
      mailbox: 'box',
      key: mail.key,
      size: MAIL.length,
      sha256: mail.sha256,
      storedAt: STORED.toISOString(),
      text: 'text',
      parts: [{ role: 'text', size: null, sha256: null, key: null }, png, png],
    });
    expect(events).toMatchObject([
      {
        detailType: 'Message Parsed',
        detail: {
          folder,
          key: mail.key,
          document: `${FOLDER}/document.json`,
          documentSize: text.length,
          documentSha256: digestOf(text).sha256,
          attachments: 2,
        },
      },
    ]);
    expect(outcome).toEqual({ parsed: events[0]?.detail });
  });

  it('gives the same objects and events when it comes again, also twice at once', async () => {
    const { ports, events, mail, files } = await world();
    await Promise.all([parseStored(mail, ports), parseStored(mail, ports)]);
    const once = await files();
    await parseStored({ ...mail, storedMs: 1 }, ports);
    expect(await files()).toEqual(once);
    expect(events).toEqual([events[0], events[0], events[0]]);
  });

  it('gets another document where there is one already that another version made', async () => {
    const { folder, ports, events, mail, files } = await world();
    await parseStored(mail, ports);
    await writeFile(join(folder, FOLDER, 'document.json'), '{"v":1,"older":true}');
    await parseStored(mail, ports);
    const [first, second] = events.map(({ detail }) => ('document' in detail ? detail.document : ''));
    expect(first).toBe(`${FOLDER}/document.json`);
    expect(second).toMatch(new RegExp(`^${FOLDER}/document-[0-9a-f]{64}\\.json$`));
    expect(await files()).toContain(second);
    expect(await readFile(join(folder, FOLDER, 'document.json'), 'utf8')).toBe('{"v":1,"older":true}');
    await parseStored(mail, ports);
    expect(events[2]).toEqual(events[1]);
  });

  it('keeps the stem of a message that content tells apart', async () => {
    const { sha256 } = digestOf(MAIL);
    const { ports, mail, files } = await world(MAIL, messageKeyByContent('box', '', sha256));
    await parseStored(mail, ports);
    expect(await files()).toContain(`parsed/box/2026/03/01/nouidl-${sha256}/document.json`);
  });

  it('has a part in it that is larger than an object of one piece', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 'x');
    const bytes = Buffer.concat([Buffer.from('Content-Type: application/zip\r\n\r\n'), large]);
    const { folder, ports, mail } = await world(bytes);
    await parseStored(mail, ports);
    await parseStored(mail, ports);
    const stored = await readFile(join(folder, FOLDER, digestOf(large).sha256));
    expect(stored.equals(large)).toBe(true);
  });
});

describe('a message without a document', () => {
  const codeOf = (events: readonly MailferryEvent[]) =>
    events.map(({ detailType, detail }) => ('code' in detail ? `${detailType}: ${detail.code}` : detailType));

  it('has other bytes than were announced', async () => {
    const { ports, events, mail, files } = await world();
    await parseStored({ ...mail, sha256: '0'.repeat(64) }, ports);
    expect(codeOf(events)).toEqual(['Message Unparsable: E_PARSE_OTHER_BYTES']);
    expect(await files()).toEqual([]);
  });

  it('is not there any more', async () => {
    const { ports, events, mail } = await world();
    await parseStored({ ...mail, key: messageKey('box', 'u2'), storedMs: STORED.getTime() }, ports);
    expect(codeOf(events)).toEqual(['Message Unparsable: E_PARSE_GONE']);
    expect(events[0]?.detail).toMatchObject({ storedAt: STORED.toISOString() });
  });

  it('is too large, by one octet', async () => {
    const { folder, ports, events, mail } = await world();
    for (const [octets, code] of [
      [MAX_MAIL_BYTES + 1, 'Message Unparsable: E_PARSE_TOO_LARGE'],
      [MAX_MAIL_BYTES, 'Message Parsed'],
    ] as const) {
      await writeFile(join(folder, mail.key), Buffer.alloc(octets, 'x'));
      // What takes time is not looked at here.
      const parser: ParsePorts['parser'] = { parse: () => inThisProcess.parse([MAIL], 0) };
      await parseStored({ ...mail, sha256: null }, { ...ports, parser });
      expect(codeOf(events).at(-1)).toBe(code);
    }
  });

  it('is announced once for each reason, with the same id', async () => {
    const { ports, events, mail } = await world(Buffer.from(`X: ${'x'.repeat(300_000)}`));
    await parseStored(mail, ports);
    await parseStored(mail, ports);
    expect(codeOf(events)).toEqual([
      'Message Unparsable: E_PARSE_HEADERS',
      'Message Unparsable: E_PARSE_HEADERS',
    ]);
    expect(events[0]).toEqual(events[1]);
  });
});

describe('what is no mail’s fault', () => {
  it('is told, so that the message comes again: an event that was not accepted', async () => {
    const { ports, mail } = await world();
    const publisher = {
      ...ports.publisher,
      publish: async () => [{ accepted: false, reason: 'full' } as const],
    };
    await expect(parseStored(mail, { ...ports, publisher })).rejects.toThrow(NotAnnouncedError);
  });

  it('… and an object under a hash that is not its own: nothing is announced', async () => {
    const { folder, ports, events, mail } = await world();
    await parseStored(mail, ports);
    await writeFile(join(folder, FOLDER, digestOf(PNG).sha256), 'damaged');
    await expect(parseStored(mail, ports)).rejects.toMatchObject({ code: 'E_STORE_DAMAGED' });
    expect(events).toHaveLength(1);
  });

  it('… and a store that loses the answers to its writes, which are looked for', async () => {
    const { store, ports, events, mail, files } = await world();
    const { sha256 } = digestOf(PNG);
    const losing: ObjectStore = {
      ...bound(store),
      create: async (key, body, digest) => {
        await store.create(key, body, digest);
        return 'exists';
      },
    };
    await parseStored(mail, { ...ports, store: losing });
    expect(await files()).toEqual([`${FOLDER}/${sha256}`, `${FOLDER}/document.json`]);
    expect(events).toHaveLength(1);
  });

  it('is a key of somebody else’s: a mistake of the caller', async () => {
    const { ports, mail } = await world();
    for (const key of ['mail/other/x.eml', 'mail/box/../x.eml', `mail/box/${STEM}.eml.eml`, 'state/box.json'])
      await expect(parseStored({ ...mail, key }, ports), key).rejects.toThrow(TypeError);
  });
});

function bound(store: ObjectStore): ObjectStore {
  return {
    place: store.place,
    create: (...given) => store.create(...given),
    upload: (...given) => store.upload(...given),
    replace: (...given) => store.replace(...given),
    read: (...given) => store.read(...given),
    verify: (...given) => store.verify(...given),
    list: (...given) => store.list(...given),
    remove: (...given) => store.remove(...given),
  };
}
