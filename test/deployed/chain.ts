/** Mail through all that is deployed: from a real Dovecot over verified TLS to objects, state, events and documents. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Announced, type Deployment, until } from './deployment.ts';
import { readTemplate } from './template.ts';

/** The schedule's next minute, and the ten seconds in which the emulator sees that it has come; more on a busy machine. */
const CALLED_MS = 90_000;

/** Each starts functions, and waits for several things. */
const CHAIN_MS = 240_000;

const ATTACHED = 'date,total\r\n2026-11-24,12\r\n';

export function message(number: number, attached?: string): Buffer {
  const parts =
    attached === undefined
      ? ['', '.', `Number ${number}.`, '']
      : [
          ...['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', ''],
          ...[`Number ${number}.`, '--b', 'Content-Type: text/csv; name=totals.csv'],
          ...[
            'Content-Disposition: attachment; filename=totals.csv',
            'Content-Transfer-Encoding: base64',
            '',
          ],
          ...[Buffer.from(attached).toString('base64'), '--b--', ''],
        ];
  const head = ['From: Ada <ada@example.org>', 'To: support@example.org', `Subject: Ticket ${number}`];
  const rest = ['Date: Tue, 24 Nov 2026 09:00:00 +0000', `Message-ID: <${number}@example.org>`];
  return Buffer.from([...head, ...rest, ...parts].join('\r\n'));
}

/**
 * Adds the tests of one deployment, in the order a person would go; `made` is asked when they run. `minute`: whether the
 * schedule's own call is waited for, or dispatch is called as AWS's schedule would.
 */
export function testChain(made: () => Deployment, minute: 'schedule' | 'call'): void {
  const support = () => {
    const { host, port, ca } = made().dovecot;
    const password = `secretsmanager:${made().secrets.ours}#u1`;
    return { id: 'support', host, port, ca, user: 'u1', password, delete: 'when-stored' };
  };
  const stored = async (count: number) => {
    const events = await until(
      `${count} events`,
      async () => {
        const found = ofType(await made().events(), 'Message Stored');
        return found.length >= count ? found : undefined;
      },
      CALLED_MS,
    );
    expect(new Set(events.map(({ detail }) => detail['id'])).size).toBe(count);
    return events;
  };
  const emptied = () =>
    until('an empty maildrop', async () =>
      (await made().dovecot.list('u1')).length === 0 ? true : undefined,
    );

  it(
    'stores what is on the server within a minute of the schedule, puts it on record, announces it, parses it and takes it off the server',
    async () => {
      const { dovecot, secrets, setSecret, apply, object, keys } = made();
      await setSecret(secrets.ours, { u1: dovecot.users[0]!.password });
      const sent = [message(1), message(2, ATTACHED)];
      await dovecot.put('u1', sent);
      expect(await apply([{ ...support(), every: '1m' }])).toContain('1 mailbox written');
      if (minute === 'call') await callDispatch(made());
      const events = await stored(2);
      const got = await Promise.all(events.map(({ detail }) => object(String(detail['key']))));
      expect(got.map(String).sort()).toEqual(sent.map(String).sort());
      expect(events.map(({ detail }) => detail['sha256'])).toEqual(got.map(sha256));
      expect(await keys('mail/')).toHaveLength(2);
      expect(await keys('state/support')).toContain('state/support.json');
      await emptied();

      const parsed = await until('documents', async () => {
        const found = ofType(await made().events(), 'Message Parsed');
        return found.length >= 2 ? found : undefined;
      });
      expect(parsed.map(({ detail }) => detail['key']).sort()).toEqual(
        events.map(({ detail }) => detail['key']).sort(),
      );
      const documents = await Promise.all(parsed.map(({ detail }) => object(String(detail['document']))));
      const texts = documents.map(String);
      for (const number of [1, 2])
        expect(texts.filter((text) => text.includes(`Ticket ${number}`))).toHaveLength(1);
      const [attachment] = (await keys('parsed/support/')).filter((key) =>
        key.endsWith(`/${sha256(Buffer.from(ATTACHED))}`),
      );
      expect(String(await object(attachment ?? 'no attachment'))).toBe(ATTACHED);
    },
    CHAIN_MS,
  );

  it(
    'signs in with a secret that was changed since, without a deployment',
    async () => {
      const { dovecot, secrets, setSecret, apply, job } = made();
      // Only the job of this test fetches it: the schedule's must not come between the server's new password and the secret's.
      expect(await apply([{ ...support(), every: '1d' }])).toContain('every');
      const users = join(dovecot.folder, 'users');
      const changed = `${dovecot.users[0]!.password}-changed`;
      const lines = (await readFile(users, 'utf8')).replace(
        /^u1:(?:\{PLAIN\})?[^:\n]*/m,
        `u1:{PLAIN}${changed}`,
      );
      await writeFile(users, lines);
      await setSecret(secrets.ours, { u1: changed });
      await dovecot.put('u1', [message(3)]);
      await job('support');
      await stored(3);
      await emptied();
    },
    CHAIN_MS,
  );
}

/** With what the template says, the minute put in by the test: the emulator leaves the placeholder as it is. */
async function callDispatch({ service, call }: Deployment): Promise<void> {
  const { Target } = (await readTemplate(service.folder)).Resources['EachMinute']!.Properties;
  const { Input } = Target as { readonly Input: string };
  const time = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  await call('dispatch', JSON.parse(Input.replace('<aws.scheduler.scheduled-time>', time)) as object);
}

function ofType(events: readonly Announced[], type: string): readonly Announced[] {
  return events.filter((event) => event['detail-type'] === type);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
