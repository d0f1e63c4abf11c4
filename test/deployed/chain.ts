/** Mail through all that is deployed: from a real Dovecot over verified TLS to objects, state, events and documents. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Announced, type Deployment, until } from './deployment.ts';
import { inTree } from './service.ts';
import { readTemplate } from './template.ts';

/** Each starts functions, and some wait for a refused sign-in. */
const CHAIN_MS = 120_000;

export function message(number: number): Buffer {
  return Buffer.from(
    `From: Ada <ada@example.org>\r\nTo: support@example.org\r\nSubject: Ticket ${number}\r\n` +
      `Date: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <${number}@example.org>\r\n\r\n.\r\nNumber ${number}.\r\n`,
  );
}

/** Adds the tests of one deployment, in the order a person would go; `made` is asked when they run. */
export function testChain(made: () => Deployment): void {
  const mailbox = (id: string, secret: string, user: string) => {
    const { host, port, ca } = made().dovecot;
    return { id, host, port, ca, user, password: `secretsmanager:${secret}#${user}` };
  };
  const stored = async (id: string, count: number) => {
    await until(`${count} objects of ${id}`, async () =>
      (await made().keys(`mail/${id}/`)).length >= count ? true : undefined,
    );
    return until(`${count} events of ${id}`, async () => {
      const events = (await made().events()).filter(
        (event) => event['detail-type'] === 'Message Stored' && event.detail['mailbox'] === id,
      );
      return events.length >= count ? events : undefined;
    });
  };

  it(
    'has the mail of a job in the bucket, on record and announced, and takes it off the server',
    async () => {
      const { dovecot, secrets, setSecret, configure, job, object, keys } = made();
      const [first, second] = dovecot.users;
      await setSecret(secrets.ours, { u1: first!.password, u2: second!.password });
      // Only the jobs of this test fetch it: the schedule's must not come between the server's new password and the secret's.
      await configure([{ ...mailbox('support', secrets.ours, 'u1'), delete: 'when-stored', every: '1d' }]);
      const sent = [message(1), message(2)];
      await dovecot.put('u1', sent);
      await job('support');
      const events = await stored('support', 2);
      const got = await Promise.all(events.map(({ detail }) => object(String(detail['key']))));
      expect(got.map(String).sort()).toEqual(sent.map(String).sort());
      expect(events.map(({ detail }) => detail['sha256'])).toEqual(got.map(sha256));
      expect(await keys('state/support')).toContain('state/support.json');
      await until('an empty maildrop', async () =>
        (await dovecot.list('u1')).length === 0 ? true : undefined,
      );
    },
    CHAIN_MS,
  );

  it(
    'signs in with a secret that was changed since, without a deployment',
    async () => {
      const { dovecot, secrets, setSecret, job } = made();
      const users = join(dovecot.folder, 'users');
      const changed = `${dovecot.users[0]!.password}-changed`;
      const lines = (await readFile(users, 'utf8')).replace(
        /^u1:(?:\{PLAIN\})?[^:\n]*/m,
        `u1:{PLAIN}${changed}`,
      );
      await writeFile(users, lines);
      await setSecret(secrets.ours, { u1: changed, u2: dovecot.users[1]!.password });
      await dovecot.put('u1', [message(3)]);
      await job('support');
      await stored('support', 3);
    },
    CHAIN_MS,
  );

  const dispatching = inTree('dispatch');
  it.skipIf(!dispatching)(
    dispatching
      ? 'has due mailboxes fetched at the schedule’s call'
      : 'has due mailboxes fetched at the schedule’s call, skipped: functions/dispatch.ts is not in the tree',
    async () => {
      const { dovecot, secrets, service, configure, call } = made();
      await configure([{ ...mailbox('due', secrets.ours, 'u2'), every: '1m' }]);
      await dovecot.put('u2', [message(4)]);
      const { Target } = (await readTemplate(service.folder)).Resources['EachMinute']!.Properties;
      const { Input } = Target as { readonly Input: string };
      // The emulator leaves the placeholder as it is.
      const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
      await call('dispatch', JSON.parse(Input.replace('<aws.scheduler.scheduled-time>', minute)) as object);
      await stored('due', 1);
    },
    CHAIN_MS,
  );

  const parsing = inTree('parse');
  it.skipIf(!parsing)(
    parsing
      ? 'makes a document of each message'
      : 'makes a document of each message, skipped: functions/parse.ts is not in the tree',
    async () => {
      const { keys, object } = made();
      const documents = await until('documents', async () => {
        const found = (await keys('parsed/support/')).filter((key) => key.endsWith('/document.json'));
        return found.length >= 3 ? found : undefined;
      });
      const texts = await Promise.all(documents.map(async (key) => String(await object(key))));
      expect(documents).toHaveLength(3);
      for (const number of [1, 2, 3])
        expect(texts.filter((text) => text.includes(`Ticket ${number}`))).toHaveLength(1);
      expect(typesOf(await made().events())).toContain('Message Parsed');
    },
    CHAIN_MS,
  );
}

export function typesOf(events: readonly Announced[]): ReadonlySet<string> {
  return new Set(events.map((event) => event['detail-type']));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
