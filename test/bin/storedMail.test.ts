/** announce, verify and export, through the command, on a folder that was fetched into. */
import { execFile } from 'node:child_process';
import fs, { readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Call, Into } from '../../bin/commands/command.ts';
import { exportCommand } from '../../bin/commands/export.ts';
import { EXIT } from '../../bin/exitCodes.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { messageId, messageKey } from '../../lib/mailbox/names.ts';
import { saverByScheme } from '../../lib/secrets/saverByScheme.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { type ObjectStore, StoreError } from '../../lib/store/port.ts';
import { mailboxNamed, World } from '../fetch/world.ts';
import { bytesOf, mail, type ScriptedMessage } from '../servers/scripted.ts';
import { mailferry, server, settingsFor, startMailferry, workFolder } from './harness.ts';

/** What an mbox, a Maildir or a mail program could stumble over. */
const MAILS: readonly ScriptedMessage[] = [
  mail(
    'plain',
    'Return-Path: <ada@example.org>\r\nSubject: plain\r\n\r\nFrom here on\r\n>From there\r\n>>From\r\n',
  ),
  mail('from', 'From nobody\r\nSubject: an mbox line first\r\n\r\n\r\n\r\n'),
  mail('empty', ''),
  mail(
    'bare',
    Buffer.from('Subject: bare\n\nFrom bare LF\rFrom bare CR\0\xff\xfe\r\n\nFrom x\r\n', 'latin1'),
  ),
  mail('long', `Subject: long\r\n\r\n${'From the beginning. '.repeat(80_000)}\r\nFrom the end\r\n`),
  ...Array.from({ length: 20 }, (_, nth) => mail(`m${nth}`, `Subject: ${nth}\r\n\r\n${nth}\r\n`)),
];

async function fetched(messages = MAILS) {
  const cwd = await workFolder();
  const pop3 = await server({ messages });
  await settingsFor(cwd, pop3);
  const env = { PASSWORD: pop3.password };
  const run = (...argv: string[]) => mailferry(argv, { cwd, env });
  await run('fetch');
  const events = async () =>
    (await readFile(join(cwd, 'store', 'events.ndjson'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"Message Stored"'))
      .map((line) => JSON.parse(line));
  return {
    cwd,
    env,
    run,
    events,
    pop3,
    path: (uidl: string) => join(cwd, 'store', messageKey('support', uidl)),
  };
}

const contents = (messages: readonly ScriptedMessage[]) =>
  messages.map((message) => bytesOf(message).toString('latin1')).sort();

/** The messages in it, as Python's own module reads them. */
async function pythonReads(
  kind: 'mbox' | 'Maildir',
  path: string,
): Promise<{ bytes: string[]; from: string[] }> {
  const script = `import base64, json, mailbox, sys
box = mailbox.${kind}(sys.argv[1], create=False)
read = [(base64.b64encode(box.get_bytes(key)).decode(), getattr(box[key], 'get_from', lambda: '')()) for key in box.keys()]
print(json.dumps(read))`;
  const { stdout } = await promisify(execFile)('python3', ['-c', script, path], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const read = JSON.parse(stdout) as [string, string][];
  return {
    bytes: read.map(([bytes]) => Buffer.from(bytes, 'base64').toString('latin1')),
    from: read.map(([, from]) => from),
  };
}

const unquoted = (text: string) => text.replace(/(^|\n)>(>*From )/g, '$1$2');

describe('mailferry announce', () => {
  it('appends the events of the first time, as a process', async () => {
    const { cwd, env, events, pop3 } = await fetched();
    const first = await events();
    await pop3.close();
    const said = await startMailferry(['announce', 'support'], { cwd, env }).ended;
    expect(said).toEqual({ code: EXIT.done, stdout: 'support: 25 messages announced\n', stderr: '' });
    const all = await events();
    expect(all).toHaveLength(50);
    const sorted = (some: { detail: { id: string } }[]) =>
      some.sort((a, b) => (a.detail.id < b.detail.id ? -1 : 1));
    expect(sorted(all.slice(25))).toEqual(sorted(first));
  });

  it('tells of each that cannot be read, and says when to go on', async () => {
    const { run, events, path } = await fetched();
    await rm(path('plain'));
    const { code, stdout } = await run('announce', '--since', '2026-01-01', '--json');
    expect(code).toBe(EXIT.messages);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { mailbox: 'support', uidl: 'plain', key: messageKey('support', 'plain'), code: 'E_MESSAGE_GONE' },
      { mailbox: 'support', announced: 24, unreadable: 1, refused: 0, leftSince: null, error: null },
    ]);
    expect(await events()).toHaveLength(49);
    expect((await run('announce', '--id', messageId('support', 'm3'))).stdout).toBe(
      'support: 1 message announced\n',
    );
    expect((await run('announce', '--since', '2100-01-01')).stdout).toBe('support: 0 messages announced\n');
  });

  it('says what it had not begun when it was interrupted', async () => {
    const { cwd, env, events } = await fetched([]);
    const said = await mailferry(['announce', 'support'], { cwd, env, signal: AbortSignal.abort() });
    expect(said).toMatchObject({ code: EXIT.interrupted, stdout: 'support: not begun\n' });
    expect(await events().catch(() => [])).toEqual([]);
  });

  it.each([
    [['announce'], 'What to announce again'],
    [['announce', '--since', 'yesterday'], '--since must be a day or a time in UTC'],
    [['announce', '--mbox', 'x'], '--mbox is an option of export only'],
    [['announce', 'support', '--bucket', 'mail', '--region', 'us-east-1'], 'name it with --bus'],
  ])('refuses %j', async (argv, words) => {
    const { run } = await fetched([]);
    expect(await run(...argv)).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining(words) });
  });
});

describe('mailferry verify', () => {
  it('finds nothing where all is well, asks the server once, and says so in a table', async () => {
    const { run, pop3 } = await fetched();
    const sessions = pop3.log.sessions.length;
    const { code, stdout } = await run('verify');
    expect(code).toBe(EXIT.done);
    expect(stdout).toMatch(/^support: 25 messages on record, [\d.]+ MB read and compared$/m);
    expect(stdout).toMatch(/^ {2}on record, and the object has these bytes +25$/m);
    expect(stdout).toMatch(/^ {4}on record, and kept there +25$/m);
    expect(pop3.log.sessions).toHaveLength(sessions + 1);
    expect(await run('verify', '--no-server', '--mailbox', 'support')).toMatchObject({ code: EXIT.done });
    expect(pop3.log.sessions).toHaveLength(sessions + 1);
  });

  it('finds what was done to the folder, as a process', async () => {
    const { cwd, env, path, pop3 } = await fetched();
    await pop3.close();
    await rm(path('plain'));
    await writeFile(path('long'), 'cut off');
    await writeFile(path('stray'), 'Subject: stray\r\n\r\n');
    const argv = ['verify', 'support', '--no-server'];
    const { code, stdout, stderr } = await startMailferry([...argv, '--json'], { cwd, env }).ended;
    expect(code, stderr).toBe(EXIT.messages);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(
      lines
        .slice(0, -1)
        .map(({ kind, key }) => [kind, key])
        .sort(),
    ).toEqual(
      [
        ['gone', messageKey('support', 'plain')],
        ['other bytes', messageKey('support', 'long')],
        ['unrecorded', messageKey('support', 'stray')],
      ].sort(),
    );
    expect(lines.at(-1)).toMatchObject({ mailbox: 'support', onRecord: 25, same: 23, listed: null });
    const words = await mailferry(argv, { cwd, env });
    expect(words.stdout).toContain(
      `✗ support: ${messageKey('support', 'plain')}: on record, and not in the store\n`,
    );
    expect(words.code).toBe(EXIT.messages);
  });

  it('tells of a server that cannot be asked, with its exit code', async () => {
    const { run, pop3 } = await fetched();
    await pop3.close();
    const { code, stdout } = await run('verify');
    expect(code).toBe(EXIT.later);
    expect(stdout).toMatch(
      /^✗ support: not all could be looked at\n {2}support: .*\(E_POP3_TCP_FAILED, tcp\)$/m,
    );
  });
});

describe('mailferry export', () => {
  it('writes an mbox that Python reads, byte for byte but for the quoting', async () => {
    const { cwd, env, pop3, path } = await fetched();
    await pop3.close();
    const storedAt = new Date('2026-11-05T04:03:02Z');
    await utimes(path('plain'), storedAt, storedAt);
    const said = await startMailferry(['export', '--mbox', 'all.mbox'], { cwd, env }).ended;
    expect(said).toMatchObject({
      code: EXIT.done,
      stdout: expect.stringMatching(/^support: 25 messages written \(1\.6 MB\)\n$/),
    });
    const { bytes, from } = await pythonReads('mbox', join(cwd, 'all.mbox'));
    expect(bytes.map(unquoted).sort()).toEqual(contents(MAILS));
    expect(from).toContain('ada@example.org Thu Nov  5 04:03:02 2026');
    expect(from.filter((line) => line.startsWith('MAILER-DAEMON '))).toHaveLength(24);
    expect((await stat(join(cwd, 'all.mbox'))).mode & 0o777).toBe(0o600);
    expect((await readdir(cwd)).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it('writes a Maildir that Python reads, byte for byte, and goes on with it', async () => {
    const { cwd, run, path } = await fetched();
    const storedAt = new Date('2026-11-05T04:03:02Z');
    await utimes(path('plain'), storedAt, storedAt);
    expect(await run('export', '--maildir', 'box', '--since', '2026-11-06')).toMatchObject({
      code: EXIT.done,
      stdout: expect.stringMatching(/^support: 24 messages written/),
    });
    const box = join(cwd, 'box');
    const [read = ''] = await readdir(join(box, 'new'));
    // A mail program has shown it to somebody.
    await promisify(execFile)('mv', [join(box, 'new', read), join(box, 'cur', `${read}:2,S`)]);
    const more = await run('export', '--maildir', 'box', '--json');
    expect(JSON.parse(more.stdout)).toMatchObject({ mailbox: 'support', written: 1, there: 24, failed: 0 });
    const { bytes } = await pythonReads('Maildir', box);
    expect(bytes.sort()).toEqual(contents(MAILS));
    const name = `${storedAt.getTime() / 1000}.${messageId('support', 'plain')}.support`;
    expect((await stat(join(box, 'new', name))).mtimeMs).toBe(storedAt.getTime());
    expect(await readdir(join(box, 'tmp'))).toEqual([]);
  });

  it.each([
    ['mbox', 'all.mbox'],
    ['maildir', 'box'],
  ] as const)('goes on without what breaks off, and says so: %s', async (into, name) => {
    const { cwd } = await fetched();
    const store = folderStore(join(cwd, 'store'), systemClock);
    const [broken, denied] = [messageKey('support', 'long'), messageKey('support', 'm1')];
    const said: string[] = [];
    const code = await exportCommand(
      callOf(cwd, { [into]: name }, said, {
        ...store,
        list: (prefix) => store.list(prefix),
        async read(key) {
          if (key === denied) throw failure(key);
          const object = await store.read(key);
          return object && key === broken ? { ...object, chunks: breaking(object.chunks, key) } : object;
        },
      }),
    );
    expect(code).toBe(EXIT.messages);
    expect(said.filter((line) => line.startsWith('✗'))).toHaveLength(2);
    expect(said.at(-1)).toMatch(/^support: 23 messages written .*, 2 could not be read$/);
    const { bytes } = await pythonReads(into === 'mbox' ? 'mbox' : 'Maildir', join(cwd, name));
    const rest = MAILS.filter(({ uidl }) => uidl !== 'long' && uidl !== 'm1');
    expect(bytes.map(into === 'mbox' ? unquoted : (text) => text).sort()).toEqual(contents(rest));
  });

  it.each(['mbox', 'maildir'] as const)('ends where the store gives nothing any more: %s', async (into) => {
    const { cwd } = await fetched();
    const store = folderStore(join(cwd, 'store'), systemClock);
    const said: string[] = [];
    const read = (key: string) => Promise.reject(failure(key));
    const list = (prefix: string) => store.list(prefix);
    expect(await exportCommand(callOf(cwd, { [into]: 'out' }, said, { ...store, list, read }))).toBe(
      EXIT.later,
    );
    expect(said.at(-1)).toMatch(/^✗ .*\(E_STORE_UNAVAILABLE\)$/);
    expect(await readdir(cwd)).toHaveLength(into === 'mbox' ? 3 : 4);
  });

  it('leaves no part of an mbox where it is interrupted', async () => {
    const { cwd, env } = await fetched();
    const said = await mailferry(['export', '--mbox', 'all.mbox'], { cwd, env, signal: AbortSignal.abort() });
    expect(said.code).toBe(EXIT.interrupted);
    expect((await readdir(cwd)).filter((name) => name.includes('mbox'))).toEqual([]);
  });

  it.each([
    [['export'], 'Where to'],
    [['export', '--mbox', 'a', '--maildir', 'b'], 'Where to'],
    [['export', '--mbox', '-'], '--mbox - would be of that very name'],
    [['export', '--mbox=~/mail.mbox'], '--mbox ~/mail.mbox must be written out'],
    [['export', '--maildir', '-'], '--maildir - would be of that very name'],
    [['export', '--mbox', 'mailferry.yaml'], 'mailferry.yaml is there already; nothing was written'],
    [['export', '--maildir', 'store'], 'is not empty, and no Maildir; nothing was written'],
    [['export', '--maildir', 'mailferry.yaml'], 'is a file; nothing was written'],
    [['fetch', '--maildir', 'x'], '--maildir is an option of export only'],
  ])('refuses %j', async (argv, words) => {
    const { cwd, run } = await fetched([]);
    const before = await readFile(join(cwd, 'mailferry.yaml'), 'utf8');
    expect(await run(...argv)).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining(words) });
    expect(await readFile(join(cwd, 'mailferry.yaml'), 'utf8')).toBe(before);
  });

  it.each([
    ['mbox', 'all.mbox'],
    ['maildir', 'box'],
  ] as const)(
    'writes to a stick, which has no links, and never over what is there: %s',
    async (into, name) => {
      const { cwd, run } = await fetched();
      const link = vi.spyOn(fs, 'link').mockImplementation(async (from) => {
        throw Object.assign(new Error(`EPERM: operation not permitted, link '${from}'`), {
          ...{ code: 'EPERM', syscall: 'link' },
        });
      });
      onTestFinished(() => link.mockRestore());
      expect(await run('export', `--${into}`, name)).toMatchObject({ code: EXIT.done });
      const { bytes } = await pythonReads(into === 'mbox' ? 'mbox' : 'Maildir', join(cwd, name));
      expect(bytes.map(into === 'mbox' ? unquoted : (text) => text).sort()).toEqual(contents(MAILS));
      expect((await readdir(cwd)).filter((file) => file.includes('.part'))).toEqual([]);
      expect(await run('export', `--${into}`, name)).toMatchObject({
        code: into === 'mbox' ? EXIT.usage : EXIT.done,
      });
      const again = await pythonReads(into === 'mbox' ? 'mbox' : 'Maildir', join(cwd, name));
      expect(again.bytes).toHaveLength(MAILS.length);
    },
  );

  it.each([['verify', '--no-server'], ['export', '--mbox', 'all.mbox'], ['parse'], ['announce', 'support']])(
    'does not call well what is not there, as of a disk that is not mounted: %s',
    async (...argv) => {
      const { cwd, run } = await fetched([]);
      await rm(join(cwd, 'store'), { recursive: true });
      await symlink('/not/mounted', join(cwd, 'store'));
      expect(await run(...argv)).toMatchObject({
        ...{ code: EXIT.person, stderr: expect.stringContaining('E_STORE_NO_FOLDER') },
      });
      expect((await readdir(cwd)).sort()).toEqual(['ca.pem', 'mailferry.yaml', 'store']);
    },
  );

  it('says what the disk says', async () => {
    const { run } = await fetched([]);
    expect(await run('export', '--mbox', 'no/such/folder.mbox')).toMatchObject({
      code: EXIT.person,
      stdout: expect.stringContaining('E_EXPORT_WRITE'),
    });
  });
});

async function* breaking(chunks: AsyncIterable<Uint8Array>, key: string) {
  for await (const chunk of chunks) {
    yield chunk.subarray(0, chunk.length / 2);
    throw failure(key);
  }
}

function failure(key: string): StoreError {
  return new StoreError(`read ${key}: the line is lost`, {
    ...{ kind: 'later', code: 'E_STORE_UNAVAILABLE', operation: 'read', key },
  });
}

/** For a store that no command line names. */
function callOf(cwd: string, into: Partial<Into>, said: string[], store: ObjectStore): Call {
  const world = new World({ store });
  const mailboxes = [mailboxNamed('support', {})];
  const say = (text: unknown) => void said.push(String(text));
  return {
    settings: {
      store: { folder: cwd },
      ...{ events: null, mailboxes, disabled: [], connectionsPerHost: 4, base: cwd },
    },
    ...{
      mailboxes,
      ports: { ...world.ports, saver: saverByScheme({}) },
      uidls: [],
      json: false,
      timeLimitMs: 60_000,
      cwd,
    },
    ...{ chosen: { messageId: null, sinceMs: null }, server: true, named: false },
    into: { mbox: undefined, maildir: undefined, ...into },
    terminal: { out: say, err: say, json: say, live: () => {}, isLive: false },
    signal: new AbortController().signal,
  };
}
