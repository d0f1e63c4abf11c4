/** The consumers of docs/consume.md, as they stand there, in processes of their own. */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { Envelope } from '../../lib/events/envelope.ts';
import { DETAILS } from '../../lib/events/shapes.ts';
import { mailferry, messages, server, settingsFor, workFolder } from '../bin/harness.ts';
import { startMessageQueue } from '../servers/messageQueue.ts';
import { bytesOf } from '../servers/scripted.ts';
import { type S3Answer, startScriptedS3 } from '../servers/scriptedS3.ts';
import { document, fenced, quoted, ROOT, rows } from './markdown.ts';

const text = await document('docs/consume.md');

/** A folder with the code of the document, which finds what is installed here. */
async function programs() {
  const folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const code of fenced(text, 'js')) {
    const [, name = ''] = /^\/\/ (\w+\.mjs)\n/.exec(code) ?? [];
    await writeFile(join(folder, name), code);
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const tickets = join(folder, 'tickets');
  return {
    folder,
    run: async (name: string, env: Record<string, string>) => {
      const own = { PATH: process.env['PATH'] ?? '', TICKETS: tickets, ...env };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, name)], {
        env: own,
      });
      return { done: stdout.split('\n').filter((line) => line !== ''), stderr };
    },
    /** What of their mail, by id. */
    tickets: async () => {
      const names = await readdir(tickets).catch(() => []);
      const read = names.map(async (name) => {
        const { mail } = JSON.parse(await readFile(join(tickets, name), 'utf8')) as { mail: string };
        return [name.slice(0, -'.json'.length), Buffer.from(mail, 'base64').toString()] as const;
      });
      return new Map(await Promise.all(read));
    },
  };
}

/** A folder that mail was fetched into. */
async function fetched(count: number) {
  const cwd = await workFolder();
  const pop3 = await server({ messages: messages(count) });
  await settingsFor(cwd, pop3);
  const run = (...argv: string[]) => mailferry(argv, { cwd, env: { PASSWORD: pop3.password } });
  await run('fetch');
  const file = join(cwd, 'store', 'events.ndjson');
  const events = async () =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Envelope]));
  const contents = () => pop3.messages.map((message) => bytesOf(message).toString()).sort();
  return { cwd, run, file, events, contents, pop3 };
}

const sorted = (some: ReadonlyMap<string, string>) => [...some.values()].sort();

describe('the consumer of the file', () => {
  it('takes each message once, goes on where it was, and bears what a crash and a rotation leave', async () => {
    const { run: consume, tickets, folder } = await programs();
    const { run, file, contents, pop3 } = await fetched(3);
    const fromFile = () =>
      consume('fromFile.mjs', { EVENTS: file, PLACE: join(folder, 'place'), UNTIL_END: '1' });

    expect((await fromFile()).done).toEqual(['done', 'done', 'done', 'passed over']);
    expect(sorted(await tickets())).toEqual(contents());
    expect((await fromFile()).done).toEqual([]);

    await appendFile(file, '{"source":"mailferry","detail-type":"Message St');
    await run('announce', 'support');
    const [last = ''] = (await readFile(file, 'utf8')).split('\n').slice(-2);
    await appendFile(file, last.slice(0, 20));
    expect((await fromFile()).done).toEqual(['a repeat', 'a repeat', 'a repeat']);
    await appendFile(file, `${last.slice(20)}\n`);
    expect((await fromFile()).done).toEqual(['a repeat']);

    await rename(file, `${file}.1`);
    pop3.messages.push(...messages(1, 'later'));
    await run('fetch');
    expect((await fromFile()).done).toContain('done');
    expect(sorted(await tickets())).toEqual(contents());
  });

  it('finds nothing where there is no file yet', async () => {
    const { run, folder } = await programs();
    const env = { EVENTS: join(folder, 'none'), PLACE: join(folder, 'place'), UNTIL_END: '1' };
    expect(await run('fromFile.mjs', env)).toEqual({ done: [], stderr: '' });
  });
});

describe('the consumer of a queue', () => {
  it('takes each message once, whatever comes again, and leaves in the queue what it could not do', async () => {
    const { run: consume, tickets } = await programs();
    const { cwd, events, contents } = await fetched(3);
    const queue = await startMessageQueue();
    onTestFinished(() => queue.stop());
    let broken = true;
    const s3 = await startScriptedS3(async ({ path }): Promise<S3Answer> => {
      const key = decodeURIComponent(path).replace(/^\/archive\//, '');
      const body = await readFile(join(cwd, 'store', key));
      return { status: 200, body: broken && key.endsWith('.eml') ? body.fill('x', 0, 1) : body };
    });
    onTestFinished(() => s3.stop());
    const put = (event: Envelope) => queue.put(JSON.stringify(onTheBus(event)));
    const env = {
      ...{ QUEUE_URL: queue.url, UNTIL_EMPTY: '1', S3_PATH_STYLE: 'true', AWS_ENDPOINT_URL_S3: s3.endpoint },
      ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: 'only-for-this-test' },
    };
    const all = await events();

    for (const event of all) put(event);
    const first = await consume('fromQueue.mjs', env);
    expect(first.done).toEqual(['passed over']);
    expect(first.stderr.match(/has other bytes/g)).toHaveLength(3);
    expect([...(await tickets())]).toEqual([]);
    expect(queue.isEmpty).toBe(false);

    broken = false;
    queue.timeOut();
    for (const event of all) put(event);
    const { done } = await consume('fromQueue.mjs', env);
    expect(done.sort()).toEqual(['a repeat', 'a repeat', 'a repeat', 'done', 'done', 'done', 'passed over']);
    expect(sorted(await tickets())).toEqual(contents());
    expect(queue.isEmpty).toBe(true);
  });

  it('has a rule that lets through what it wants, and nothing else', async () => {
    const [template = ''] = fenced(text, 'yaml');
    const { Resources } = parse(template, { logLevel: 'error' });
    const pattern = Resources.MailForTickets.Properties.EventPattern as Pattern;
    const { events } = await fetched(1);
    const kinds = (await events()).map((event) => [event['detail-type'], matches(pattern, onTheBus(event))]);
    expect(kinds).toEqual([
      ['Message Stored', true],
      ['Run Finished', false],
    ]);
    const [stored] = await events();
    const other = { ...stored, detail: { ...stored?.detail, mailbox: 'billing' } };
    expect(matches(pattern, other)).toBe(false);
  });
});

it('names each event', () => {
  const named = rows(text).flatMap(([cell = '']) => quoted(cell));
  expect(named.sort()).toEqual(Object.keys(DETAILS).sort());
});

/** As EventBridge puts it into a queue: with an id of its own, and in a bucket. */
function onTheBus({ detail, ...event }: Envelope): object {
  const { folder: _, ...rest } = { folder: '', ...detail };
  const own = {
    version: '0',
    id: crypto.randomUUID(),
    account: '000000000000',
    region: 'us-east-1',
    resources: [],
  };
  return { ...own, ...event, detail: { ...rest, bucket: 'archive' } };
}

interface Pattern {
  readonly [name: string]: readonly string[] | Pattern;
}

/** EventBridge's rule for exact values: of each field that is named, one of the list. */
function matches(pattern: Pattern, value: unknown): boolean {
  return Object.entries(pattern).every(([name, wanted]) => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    return Array.isArray(wanted) ? wanted.includes(found) : matches(wanted as Pattern, found);
  });
}
