import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOTS_STUFFED_TWICE, END_TRIMMED, FINAL_CRLF_ADDED, FIRST_BLANK_CUT } from './changes.ts';
import { converse } from './converse.ts';
import { freePort } from './freePort.ts';
import { greeting } from './greeting.ts';
import type { Mail, MailServer, MailServerKind, User } from './mailServer.ts';
import { end, spawnTied } from './tied.ts';

/** A Java program on a busy machine. */
const START_MS = 60_000;
const LOOK_MS = 100;

/** GreenMail, in which test suites keep their mail: a DELE is done at once, and LIST counts the body alone. */
export const GREEN_MAIL: MailServerKind = {
  changes: [FIRST_BLANK_CUT, DOTS_STUFFED_TWICE, FINAL_CRLF_ADDED, END_TRIMMED],
  start,
};

async function start(path: string, mail: readonly Mail[]): Promise<MailServer> {
  const folder = await mkdtemp(join(tmpdir(), 'greenmail-'));
  const users = mail.map((_, index) => ({
    name: `u${index + 1}`,
    password: randomBytes(18).toString('base64url'),
  }));
  for (const [index, { name }] of users.entries()) {
    const inbox = join(folder, 'mail', `${name}@localhost`, 'INBOX');
    await mkdir(inbox, { recursive: true });
    for (const [at, bytes] of (mail[index] ?? []).entries())
      await writeFile(join(inbox, `${1000 + at}.eml`), bytes);
  }
  const port = await freePort();
  const options = {
    'greenmail.hostname': '127.0.0.1',
    'greenmail.smtp.port': await freePort(port),
    'greenmail.pop3.port': port,
    'greenmail.users': users.map(({ name, password }) => `${name}:${password}@localhost`).join(','),
    'greenmail.preload.dir': join(folder, 'mail'),
  };
  const definitions = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  const words: string[] = [];
  const child = spawnTied(['java', ...definitions, '-jar', path], 'KILL', {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => void words.push(text));
  }
  const stop = async () => {
    await end(child, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  await loaded(port, users, mail, () => child.exitCode === null).catch(async (error: unknown) => {
    await stop();
    throw new Error(`GreenMail did not start: ${words.join('')}`, { cause: error });
  });
  return {
    title: `GreenMail ${/(\d[\d.]*)\.jar$/.exec(basename(path))?.[1] ?? ''}`.trim(),
    port,
    tls: null,
    users,
    log: async () => words.join(''),
    stop,
  };
}

/** It greets before it has read the mail. */
async function loaded(
  port: number,
  users: readonly User[],
  mail: readonly Mail[],
  alive: () => boolean,
): Promise<void> {
  const until = performance.now() + START_MS;
  let missing = 'no greeting';
  while (alive() && performance.now() < until) {
    missing = (await greeting(port)) ? await missingIn(port, users, mail) : missing;
    if (missing === '') return;
    await sleep(LOOK_MS);
  }
  throw new Error(missing);
}

async function missingIn(port: number, users: readonly User[], mail: readonly Mail[]): Promise<string> {
  for (const [index, user] of users.entries()) {
    const [words = ''] = await converse(port, user, ['STAT'])
      .catch(String)
      .then((all) => [all].flat());
    if (words.split(' ')[1] !== String(mail[index]?.length)) return `${user.name}: ${words}`;
  }
  return '';
}
