/** Each kind of damage that is planted is found, once, and where there is none nothing is; and nothing is changed. */
import { describe, expect, it } from 'vitest';
import type { Publisher } from '../../lib/events/port.ts';
import type { FetchPorts } from '../../lib/fetch/ports.ts';
import { type Finding, type VerifyOptions, verifyMailbox } from '../../lib/fetch/verify.ts';
import { VANISHED_KEPT_MS } from '../../lib/mailbox/bounds.ts';
import { withContent, withIntents } from '../../lib/mailbox/intents.ts';
import { messageKey, messageKeyByContent } from '../../lib/mailbox/names.ts';
import { withRecords } from '../../lib/mailbox/records.ts';
import type { StoredRecord } from '../../lib/mailbox/state.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { mail } from '../servers/scripted.ts';
import { letter, World, type WorldOptions } from './world.ts';

async function verify(world: World, options: Partial<VerifyOptions> = {}, ports: Partial<FetchPorts> = {}) {
  const findings: Finding[] = [];
  const report = await verifyMailbox(
    world.mailbox,
    { ...world.ports, ...ports },
    {
      ...{ deadlineMs: world.clock.now() + 60_000, signal: new AbortController().signal, server: false },
      ...{ onFinding: (finding: Finding) => findings.push(finding), onProgress: () => {} },
      ...options,
    },
  );
  return { report, found: findings.map(({ kind, key }) => [kind, key]), findings };
}

const NOTHING = { gone: 0, 'other bytes': 0, unreadable: 0, unrecorded: 0, 'no message': 0 };

/** Made by a clock that can be moved, which the store's objects have, too. */
async function worldOf(options: WorldOptions = {}): Promise<World> {
  let world: World | undefined;
  const store = memoryStore('bucket', () => world?.clock.now() ?? null);
  world = new World({ messages: ['a', 'b', 'c'].map((name) => mail(name, letter(name))), store, ...options });
  await world.run();
  return world;
}

const inbox = (uidl: string) => messageKey('inbox', uidl);

async function put(store: ObjectStore, key: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  await store.create(key, bytes, digestOf(bytes));
}

describe('verifying a mailbox', () => {
  it('finds nothing where all is well, and says what is listed', async () => {
    const twins = ['1', '2'].map((text) => mail('twin', letter(text)));
    const world = await worldOf({ messages: [mail('a', letter('a')), ...twins, mail('empty', '')] });
    world.server.messages.push(mail('new', letter('new')));
    const { report, found } = await verify(world, { server: true });
    expect(found).toEqual([]);
    const octets = [...(await world.objects()).values()].reduce((sum, { length }) => sum + length, 0);
    expect(report).toMatchObject({
      ...{ onRecord: 4, same: 4, octets, findings: NOTHING, begun: 0, outlived: 0, error: null },
      listed: { messages: 5, onRecord: { keep: 4, delete: 0 }, notOnRecord: { fetch: 1 } },
    });
    expect(world.retrieved).toBe(4);
  });

  it('finds each kind of damage', async () => {
    const world = await worldOf();
    const { store } = world;
    await store.remove(inbox('a'));
    await store.remove(inbox('b'));
    await put(store, inbox('b'), letter('B'));
    await put(store, inbox('stray'), letter('stray'));
    const content = '0'.repeat(64);
    await put(store, messageKeyByContent('inbox', '', content), letter('not of that content'));
    await put(store, 'mail/inbox/notes.txt', 'by hand');
    await put(store, 'mail/inbox2/notes.txt', 'of another mailbox');
    const { report, found, findings } = await verify(world);
    expect(found.sort()).toEqual(
      [
        ['gone', inbox('a')],
        ['other bytes', inbox('b')],
        ['unrecorded', inbox('stray')],
        ['unrecorded', messageKeyByContent('inbox', '', content)],
        ['other bytes', messageKeyByContent('inbox', '', content)],
        ['no message', 'mail/inbox/notes.txt'],
      ].sort(),
    );
    expect(report).toMatchObject({
      ...{ onRecord: 3, same: 1, listed: null },
      findings: { gone: 1, 'other bytes': 2, unreadable: 0, unrecorded: 2, 'no message': 1 },
    });
    expect(findings.find(({ kind }) => kind === 'gone')?.uidl).toBe('a');
  });

  it('says of what is lost whether the server has it still', async () => {
    const world = await worldOf();
    for (const uidl of ['a', 'b']) await world.store.remove(inbox(uidl));
    world.server.messages.splice(0, 1);
    const { findings } = await verify(world, { server: true });
    const says = Object.fromEntries(findings.map((finding) => [finding.uidl, finding.says]));
    expect(says['a']).toContain('does not list it');
    expect(says['b']).toContain('lists it still');
  });

  it('explains objects by attempts that are open, and no others', async () => {
    const world = await worldOf();
    const { store } = world;
    const state = await StateFile.open(store, 'inbox', world.clock);
    const intent = { size: 1, headerHash: null, run: 'r', untilMs: 0 };
    const sha256 = digestOf(Buffer.from(letter('nameless'))).sha256;
    await state.commit((head) =>
      withContent(
        withIntents(head, [
          { ...intent, uidl: 'begun' },
          { ...intent, uidl: '' },
        ]),
        { ...intent, uidl: '' },
        { run: 'r', sha256 },
      ),
    );
    await put(store, inbox('begun'), letter('begun'));
    await put(store, messageKeyByContent('inbox', 'begun', digestOf(Buffer.from('x')).sha256), 'x');
    await put(store, messageKeyByContent('inbox', '', sha256), letter('nameless'));
    const stray = messageKeyByContent('inbox', '', digestOf(Buffer.from('y')).sha256);
    await put(store, stray, 'y');
    const { report, found } = await verify(world);
    expect(report).toMatchObject({ onRecord: 3, same: 3, begun: 3 });
    expect(found).toEqual([['unrecorded', stray]]);
  });

  it('expects no record of mail that left its server longer ago than records are kept', async () => {
    const world = await worldOf();
    await put(world.store, inbox('older'), letter('older'));
    world.skewMs = VANISHED_KEPT_MS + 60_000;
    expect((await verify(world)).report).toMatchObject({ onRecord: 3, outlived: 1, findings: NOTHING });
    // Without any state nothing excuses them.
    const lost: ObjectStore = {
      ...world.store,
      read: (key) => (key.startsWith('state/') ? Promise.resolve(null) : world.store.read(key)),
    };
    expect((await verify(world, {}, { store: lost })).report).toMatchObject({
      ...{ onRecord: 0, outlived: 0, findings: { unrecorded: 4 } },
    });
  });

  it('takes what a run stores meanwhile for no damage', async () => {
    const world = await worldOf();
    world.server.messages.push(mail('meanwhile', letter('meanwhile')));
    let ran = false;
    const store: ObjectStore = {
      ...world.store,
      async *list(prefix) {
        yield* world.store.list(prefix);
        if (!ran) await world.run();
        ran = true;
      },
    };
    expect((await verify(world, {}, { store })).report).toMatchObject({
      onRecord: 4,
      same: 4,
      findings: NOTHING,
    });
  });

  it('changes nothing, and retrieves nothing', async () => {
    const world = await worldOf();
    await world.store.remove(inbox('a'));
    const nothing = (what: string) => () => Promise.reject(new Error(`${what} was called`));
    const store: ObjectStore = {
      ...world.store,
      ...{ create: nothing('create'), upload: nothing('upload'), replace: nothing('replace') },
      remove: nothing('remove'),
    };
    const publisher: Publisher = { durable: true, prove: nothing('prove'), publish: nothing('publish') };
    const retrieved = world.retrieved;
    const { report } = await verify(world, { server: true }, { store, publisher });
    expect(report).toMatchObject({ error: null, findings: { gone: 1 }, listed: { messages: 3 } });
    expect(world.retrieved).toBe(retrieved);
  });

  it('goes on without the server, and says so', async () => {
    const world = await worldOf();
    const dial = () => Promise.reject(new Error('nobody answers'));
    const { report } = await verify(world, { server: true }, { dial });
    expect(report).toMatchObject({
      same: 3,
      listed: null,
      error: { message: expect.stringContaining('nobody answers') },
    });
  });

  it('tells of objects that the store does not give, and ends where it gives none', async () => {
    const names = Array.from({ length: 40 }, (_, nth) => `m${nth}`);
    const world = await worldOf({ messages: names.map((name) => mail(name, letter(name))) });
    const withhold = (isWithheld: (key: string) => boolean): ObjectStore => ({
      ...world.store,
      read: (key) =>
        key.startsWith('mail/') && isWithheld(key) ? Promise.reject(denied(key)) : world.store.read(key),
    });
    const some = await verify(world, {}, { store: withhold((key) => key === inbox('m7')) });
    expect(some.report).toMatchObject({ same: 39, error: null, findings: { unreadable: 1 } });
    const none = await verify(world, {}, { store: withhold(() => true) });
    expect(none.report.error).toMatchObject({ code: 'E_STORE_DENIED', phase: 'store' });
    expect(none.report.findings.unreadable).toBeLessThan(40);
  });

  it('says that a state is broken, and judges nothing by it', async () => {
    const world = await worldOf();
    const store: ObjectStore = {
      ...world.store,
      async read(key) {
        const object = await world.store.read(key);
        return object && key.startsWith('state/') ? { ...object, chunks: once('{') } : object;
      },
    };
    const { report, found } = await verify(world, {}, { store });
    expect(report.error).toMatchObject({ code: 'E_STATE_BROKEN', kind: 'person' });
    expect(found).toEqual([]);
  });

  it('reads several objects at once, each piece by piece, whatever is in segments', async () => {
    const COUNT = 1000;
    const body = Buffer.from('one of many');
    const { size, sha256 } = digestOf(body);
    const world = new World();
    const state = await StateFile.open(world.store, 'inbox', world.clock);
    const records: StoredRecord[] = Array.from({ length: COUNT }, (_, nth) => ({
      ...{ uidl: `many-${nth}`, size, headerHash: '0'.repeat(32), octets: size, sha256, storedMs: nth },
    }));
    for (let at = 0; at < COUNT; at += 128)
      await state.commit((head) => withRecords(head, records.slice(Math.max(0, at - 1), at + 128)));
    let reading = 0;
    let mostReading = 0;
    const store: ObjectStore = {
      ...world.store,
      async *list() {
        for (const { uidl } of records) yield { key: inbox(uidl), size };
      },
      async read(key) {
        if (key.startsWith('state/')) return world.store.read(key);
        reading += 1;
        mostReading = Math.max(mostReading, reading);
        const chunks = (async function* () {
          for (const byte of body) yield Buffer.of(byte);
          reading -= 1;
        })();
        return { version: '', size, storedMs: 0, chunks };
      },
    };
    const { report } = await verify(world, {}, { store });
    expect(report).toMatchObject({ onRecord: COUNT, same: COUNT, findings: NOTHING, outlived: 0 });
    expect(mostReading).toBeGreaterThan(1);
    expect(mostReading).toBeLessThanOrEqual(8);
  });
});

async function* once(text: string) {
  yield Buffer.from(text);
}

function denied(key: string): StoreError {
  return new StoreError(`read ${key}: access denied`, {
    ...{ kind: 'person', code: 'E_STORE_DENIED', operation: 'read', key },
  });
}
