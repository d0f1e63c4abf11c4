/**
 * `npm run demo`: the real command against a real POP3 server on this machine (a scripted one, over TLS, on a free
 * port of 127.0.0.1), with mail of our own. Then it checks every stored byte itself.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageKey } from '../lib/mailbox/names.ts';
import { type ScriptedServer, startScripted } from '../test/servers/scripted.ts';
import { type DemoMessage, demoMail } from './demoMail.ts';

const command = fileURLToPath(new URL('../bin/mailferry.ts', import.meta.url));
const MAILBOX = 'support';

/** The message whose event is shown whole: its subject was encoded. */
const EVENT_SHOWN = 'demo-2';

const colour = process.stdout.isTTY
  ? { bold: '\x1b[1m', dim: '\x1b[2m', plain: '\x1b[0m' }
  : { bold: '', dim: '', plain: '' };

function title(text: string): void {
  console.log(`\n${colour.bold}${text}${colour.plain}`);
}

function quiet(text: string): void {
  console.log(`${colour.dim}${text}${colour.plain}`);
}

async function demo(
  server: ScriptedServer,
  messages: readonly DemoMessage[],
  folder: string,
): Promise<boolean> {
  const store = join(folder, 'mail-store');
  await writeFile(join(folder, 'ca.pem'), server.ca);
  await writeFile(join(folder, 'keep.yaml'), settings(server, 'keep'));
  await writeFile(join(folder, 'delete.yaml'), settings(server, 'when-stored'));
  const mailferry = (...args: readonly string[]) => run(server, folder, args);

  title(
    `1. A mailbox with ${messages.length} messages is fetched. "delete: keep" is the default: the server keeps all.`,
  );
  let ok = (await mailferry('fetch', '--config', 'keep.yaml')) === 0;
  ok = reportServer(server, messages.length) && ok;

  title('2. Again: everything is on record, so nothing is transferred.');
  const before = server.log.sessions.flatMap(({ retrieved }) => retrieved).length;
  ok = (await mailferry('fetch', '--config', 'keep.yaml')) === 0 && ok;
  const again = server.log.sessions.flatMap(({ retrieved }) => retrieved).length - before;
  quiet(`   the server was asked for ${again} messages`);
  ok = again === 0 && ok;

  title('3. "delete: when-stored": every copy is proved once more, and then the server is emptied.');
  ok = (await mailferry('fetch', '--config', 'delete.yaml')) === 0 && ok;
  ok = reportServer(server, 0) && ok;

  title('4. What is in the folder');
  await showFiles(store);
  title('5. events.ndjson');
  await showEvents(join(store, 'events.ndjson'));
  title('6. Every object against what went over the wire (SHA-256)');
  return (await compare(store, messages)) && ok;
}

function settings({ host, port, user }: ScriptedServer, policy: 'keep' | 'when-stored'): string {
  return `store: { folder: ./mail-store }
mailboxes:
  - id: ${MAILBOX}
    host: ${host}
    port: ${port}
    user: ${user}
    password: env:DEMO_PASSWORD
    ca: file:ca.pem
    delete: ${policy}
`;
}

/** Runs the command as a person would; its exit code. */
async function run(server: ScriptedServer, folder: string, args: readonly string[]): Promise<number> {
  quiet(`$ mailferry ${args.join(' ')}`);
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { ...process.env, DEMO_PASSWORD: server.password },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function reportServer(server: ScriptedServer, expected: number): boolean {
  quiet(`   the server now holds ${server.messages.length} messages`);
  return server.messages.length === expected;
}

async function showFiles(store: string): Promise<void> {
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) {
    const { length } = await readFile(file);
    console.log(`   ${length.toLocaleString('en-US').padStart(10)}  ${relative(store, file)}`);
  }
}

async function showEvents(file: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const events = lines.map(
    (line) => JSON.parse(line) as { readonly 'detail-type': string; readonly detail: Detail },
  );
  for (const { 'detail-type': type, detail } of events) {
    const what = detail.key === undefined ? detail.outcome : (detail.headers?.subject ?? '(no subject)');
    console.log(`   ${type.padEnd(16)}${(detail.size?.toLocaleString('en-US') ?? '').padStart(10)}  ${what}`);
  }
  quiet('   one of them whole:');
  const whole = events.find(({ detail }) => detail.uidl === EVENT_SHOWN) ?? events[0];
  console.log(JSON.stringify(whole, null, 2).replace(/^/gm, '   '));
}

/** What is shown of an event; lib/events/schema has all of it. */
interface Detail {
  readonly uidl?: string;
  readonly key?: string;
  readonly size?: number;
  readonly headers?: { readonly subject: string | null } | null;
  readonly outcome?: string;
}

async function compare(store: string, messages: readonly DemoMessage[]): Promise<boolean> {
  let equal = 0;
  for (const { what, message } of messages) {
    const wire = createHash('sha256');
    for (const chunk of message.chunks()) wire.update(chunk);
    const expected = wire.digest('hex');
    const stored = await readFile(join(store, messageKey(MAILBOX, message.uidl))).catch(() => null);
    const actual = stored === null ? 'missing' : createHash('sha256').update(stored).digest('hex');
    if (actual === expected) equal += 1;
    console.log(`   ${actual === expected ? '✓' : '✗'} ${expected.slice(0, 16)}…  ${what}`);
  }
  console.log(`   ${equal} of ${messages.length} objects equal what went over the wire`);
  return equal === messages.length;
}

const folder = await mkdtemp(join(tmpdir(), 'demo-mail-'));
const messages = demoMail();
const server = await startScripted({ messages: messages.map(({ message }) => message) });
let ok = false;
try {
  quiet(`everything is in ${folder}, which is yours to look at and to remove`);
  ok = await demo(server, messages, folder);
} finally {
  await server.close();
}
if (ok) {
  title('With a mailbox of your own');
  console.log(`   1. write mailferry.yaml here: npm run mailferry -- --help shows the six lines that it needs
   2. SUPPORT_PASSWORD=… npm run mailferry -- check
   3. SUPPORT_PASSWORD=… npm run mailferry -- fetch`);
} else {
  console.error('\nThe demo did not end as it should; what went wrong is above.');
}
process.exitCode = ok ? 0 : 1;
