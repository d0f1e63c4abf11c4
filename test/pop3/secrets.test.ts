import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Pop3Client } from '../../lib/pop3/client.ts';
import { formsIn, formsOf } from '../canaries.ts';
import { settled } from './fakeTimer.ts';
import { failure, type HandLine, type HandSession, handSession } from './handLine.ts';

/** Everything about an error or client that a log could come to hold, its causes included. */
function everythingOf(value: unknown): string {
  const shown = [
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    JSON.stringify(value),
    String(value),
  ];
  if (value instanceof Error) {
    shown.push(value.message, value.stack ?? '', JSON.stringify(value, Object.getOwnPropertyNames(value)));
    if (value.cause !== undefined) shown.push(everythingOf(value.cause));
  }
  return shown.join('\n');
}

function expectClean(secret: string, ...values: readonly unknown[]): void {
  expect(formsIn(values.map(everythingOf).join('\n'), secret)).toEqual([]);
}

/** Ways in which signing in, or what comes later, can fail while a hostile server knows the password. */
const ENDINGS: readonly { name: string; act: (line: HandLine, secret: string) => void }[] = [
  { name: 'a refusal', act: (line) => line.say('-ERR no\r\n') },
  { name: 'a refusal that repeats it', act: (line, secret) => line.say(`-ERR bad password "${secret}"\r\n`) },
  {
    name: 'a refusal that repeats it in base64',
    act: (line, secret) => line.say(`-ERR ${Buffer.from(secret).toString('base64')}\r\n`),
  },
  {
    name: 'a refusal that repeats it in hex',
    act: (line, secret) => line.say(`-ERR ${Buffer.from(secret).toString('hex')}\r\n`),
  },
  { name: 'the command echoed (Mailutils)', act: (line, secret) => line.say(`PASS ${secret}\r\n`) },
  { name: 'an endless echo', act: (line, secret) => line.say(`+OK ${secret.repeat(1000)}`) },
  { name: 'half an echo and the end', act: (line, secret) => line.say(`-ERR ${secret}`).end() },
  { name: 'a hang-up', act: (line) => line.end() },
  { name: 'a reset', act: (line) => line.break() },
];

async function signIn(
  user: string,
  password: string,
): Promise<HandSession & { readonly pending: Promise<Error> }> {
  const session = await handSession();
  const pending = failure(session.client.signIn(user, password));
  await settled();
  session.line.say('+OK\r\n');
  await settled();
  return { ...session, pending };
}

describe('a password', () => {
  it.each(ENDINGS)('is in no error and no object after $name (T10, A-14)', async ({ act }) => {
    const secret = randomBytes(18).toString('base64url');
    const { line, client, pending } = await signIn('ferry', secret);
    expect(line.heard).toEqual(['USER ferry\r\n', `PASS ${secret}\r\n`]);
    act(line, secret);
    const error = await pending;
    client.destroy(error);
    expectClean(secret, error, client, await failure(client.uidlOf(1)));
  });

  it('is in no error about a password that may not be sent', async () => {
    const secret = `${randomBytes(18).toString('base64url')}`;
    for (const password of [
      `${secret}\r\n`,
      `${secret}\0`,
      `${secret}${'x'.repeat(3000)}`,
      `${secret}\ud800`,
    ]) {
      const { client, pending } = await signIn('ferry', password);
      expectClean(secret, await pending, client);
    }
  });

  it('is in no error long after signing in', async () => {
    const secret = randomBytes(18).toString('base64url');
    const calls: readonly ((client: Pop3Client) => Promise<unknown>)[] = [
      (client) => client.noop(),
      (client) => client.retr(1, () => {}),
      (client) => client.uidlOf(1),
    ];
    for (const call of calls) {
      const { line, client } = await handSession();
      const signing = client.signIn('ferry', secret);
      await settled();
      line.say('+OK\r\n');
      await settled();
      line.say('+OK\r\n');
      await signing;
      const pending = failure(call(client));
      await settled();
      line.say(`-ERR session of ${secret} is over\r\n`);
      expectClean(secret, await pending, client);
    }
  });

  it('is never the command of an error, nor is the user name', async () => {
    const { line, pending } = await signIn('someone@example.org', 'unimportant');
    line.say('-ERR no\r\n');
    const error = await pending;
    expect(error).toMatchObject({ command: 'PASS', reply: '-ERR no' });
    expect(everythingOf(error)).not.toContain('someone@example.org');
  });
});

describe('a test that looks for a password', () => {
  it('finds one that is there', () => {
    const secret = randomBytes(18).toString('base64url');
    for (const form of formsOf(secret).values()) {
      expect(() => expectClean(secret, new Error(`x ${form}`))).toThrow();
      expect(() => expectClean(secret, new Error('x', { cause: new Error(form) }))).toThrow();
      expect(() => expectClean(secret, { deep: { in: [form] } })).toThrow();
    }
  });
});
