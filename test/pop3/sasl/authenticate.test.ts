/** AUTH over a line in the test's hands (RFC 5034). */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pop3Error } from '../../../lib/pop3/errors.ts';
import { oauthBearer, xoauth2 } from '../../../lib/pop3/sasl/bearer.ts';
import { cramMd5 } from '../../../lib/pop3/sasl/cramMd5.ts';
import { external } from '../../../lib/pop3/sasl/external.ts';
import { login } from '../../../lib/pop3/sasl/login.ts';
import type { Mechanism } from '../../../lib/pop3/sasl/mechanism.ts';
import { plain } from '../../../lib/pop3/sasl/plain.ts';
import { SCRAM_SHA_256, Scram } from '../../../lib/pop3/sasl/scram.ts';
import { scramVerified } from '../../servers/scramVerified.ts';
import { settled } from '../fakeTimer.ts';
import { failure, type HandSession, handSession } from '../handLine.ts';

const secret = `canary-${randomBytes(12).toString('hex')}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Conversation extends HandSession {
  readonly pending: Promise<void>;
  /** Says this, and gives what the client writes behind it. */
  says(line: string): Promise<string>;
  written(): string;
}

async function begun(mechanism: Mechanism, initial = false): Promise<Conversation> {
  const session = await handSession();
  const pending = session.client.authenticate(mechanism, { secret, initial });
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  pending.then(over, over);
  const written = () => session.line.heard.join('');
  const says = async (line: string) => {
    const before = written().length;
    session.line.say(`${line}\r\n`);
    // Keys are derived beside the event loop.
    while (written().length === before && !isOver) await new Promise((resolve) => setTimeout(resolve, 1));
    return written().slice(before);
  };
  await settled();
  return { ...session, pending, says, written };
}

describe('AUTH', () => {
  it('waits for the empty challenge with what it says first', async () => {
    const { pending, says, written } = await begun(plain('ada', secret));
    expect(written()).toBe('AUTH PLAIN\r\n');
    expect(await says('+ ')).toBe(`${base64(`\0ada\0${secret}`)}\r\n`);
    await says('+OK');
    await pending;
  });

  it.each(['+', '+ '])('takes %j for the empty challenge', async (challenge) => {
    const { says, written } = await begun(external());
    expect(written()).toBe('AUTH EXTERNAL\r\n');
    expect(await says(challenge)).toBe('\r\n');
  });

  it('says it at once where it may, and it is short enough', async () => {
    const short = await begun(plain('ada', secret), true);
    expect(short.written()).toBe(`AUTH PLAIN ${base64(`\0ada\0${secret}`)}\r\n`);
    const empty = await begun(external(), true);
    expect(empty.written()).toBe('AUTH EXTERNAL =\r\n');
    const long = await begun(xoauth2('ada', 'x'.repeat(300)), true);
    expect(long.written()).toBe('AUTH XOAUTH2\r\n');
    expect((await long.says('+ ')).length).toBeGreaterThan(300);
  });

  it('answers each challenge with the line of the mechanism', async () => {
    const { pending, says, written } = await begun(login('ada', secret), true);
    expect(written()).toBe('AUTH LOGIN\r\n');
    expect(await says(`+ ${base64('Username:')}`)).toBe(`${base64('ada')}\r\n`);
    expect(await says(`+ ${base64('Password:')}`)).toBe(`${base64(secret)}\r\n`);
    await says('+OK welcome');
    await pending;
  });

  it.each<[string, () => Mechanism, string]>([
    ['PLAIN', () => plain('ada', secret), base64(`\0ada\0${secret}`)],
    ['XOAUTH2', () => xoauth2('ada', secret), base64(`user=ada\x01auth=Bearer ${secret}\x01\x01`)],
  ])('%s says it again to a server that reads nothing behind AUTH, once', async (_, mechanism, first) => {
    const { pending, says } = await begun(mechanism(), true);
    expect(await says('+ ')).toBe(`${first}\r\n`);
    await says('+OK');
    await pending;
  });

  it.each([
    ['Benutzername:', 'Passwort:'],
    ['用户名', '密码'],
    ['', ''],
    ['Username', '?'],
    ['=', '='],
  ])('answers LOGIN that asks %j and %j in plain words', async (user, password) => {
    const { pending, says } = await begun(login('ada', secret));
    expect(await says(`+ ${Buffer.from(user).toString('latin1')}`)).toBe(`${base64('ada')}\r\n`);
    expect(await says(`+ ${Buffer.from(password).toString('latin1')}`)).toBe(`${base64(secret)}\r\n`);
    await says('+OK');
    await pending;
  });

  it.each<[string, readonly string[], string]>([
    ['in bare JSON', ['+ {"status":"invalid_token","scope":"pop"}'], 'invalid_token'],
    ['in words', ['+ token expired'], 'unknown'],
    ['in nothing', ['+'], 'unknown'],
    ['twice', [`+ ${base64('{"status":"400"}')}`, `+ ${base64('{"status":"401"}')}`], '400'],
  ])('acknowledges a refused token %s', async (_, lines, status) => {
    const mechanism = xoauth2('ada', secret);
    const { pending, says } = await begun(mechanism);
    await says('+ ');
    for (const line of lines) expect(await says(line)).toBe('\r\n');
    await says('-ERR no');
    expect(await failure<Pop3Error>(pending)).toMatchObject({ code: 'E_POP3_SIGNIN_REFUSED' });
    expect(mechanism.refusal()?.status).toBe(status);
  });

  it('acknowledges why a token is refused, and then learns that it is', async () => {
    const mechanism = xoauth2('ada', secret);
    const { pending, client, says } = await begun(mechanism, true);
    expect(await says(`+ ${base64('{"status":"401","scope":"pop"}')}`)).toBe('\r\n');
    await says('-ERR [AUTH] no');
    expect(await failure<Pop3Error>(pending)).toMatchObject({ code: 'E_POP3_AUTH', phase: 'sign-in' });
    expect(mechanism.refusal()).toEqual({ status: '401', scope: 'pop' });
    expect(client.closedBy).toBeNull();
  });
});

it('a server that proves itself behind +OK is believed', async () => {
  const scram = new Scram(SCRAM_SHA_256, { user: 'ada', password: secret, nonce: 'abc', binding: null });
  const { pending, says } = await begun(scram);
  const said = (line: string) => Buffer.from(line.trim(), 'base64').toString();
  const first = said(await says('+ '));
  const serverFirst = 'r=abcd,s=QSXC,i=4096';
  const final = said(await says(`+ ${base64(serverFirst)}`));
  const { isRight, verifier } = scramVerified(SCRAM_SHA_256, secret, { first, serverFirst, final });
  expect(isRight).toBe(true);
  await says(`+OK ${base64(verifier)}`);
  await pending;
});

describe('a server that does not do its part', () => {
  const scram = () =>
    new Scram(SCRAM_SHA_256, { user: 'ada', password: secret, nonce: 'abc', binding: null });

  it.each([
    ['is believed at no +OK before its proof', scram, ['+ ', '+OK']],
    ['is believed at no +OK behind its salt', scram, ['+ ', `+ ${base64('r=abcd,s=QSXC,i=4096')}`, '+OK']],
    ['has no signature', scram, ['+ ', `+ ${base64('r=abcd,s=QSXC,i=4096')}`, `+ ${base64('v=AAAA')}`]],
    ['asks for more than there is', () => plain('ada', secret), ['+ ', '+ ']],
    ['has nothing to make a digest of', () => cramMd5('ada', secret), ['+ ']],
    ['is believed at no +OK to AUTH alone', () => plain('ada', secret), ['+OK']],
    ['is believed at no +OK before it sent a challenge', () => cramMd5('ada', secret), ['+OK']],
    ['is believed at no +OK before it asked for a password', () => login('ada', secret), ['+ ', '+OK']],
    ['sends what is no base64', () => cramMd5('ada', secret), ['+ <no base64>']],
  ])('%s', async (_, mechanism, lines) => {
    const { pending, client, line, says } = await begun(mechanism());
    for (const one of lines) await says(one);
    const error = await failure<Pop3Error>(pending);
    expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_UNPROVED', command: 'AUTH' });
    expect(client.closedBy).not.toBeNull();
    expect(line.destroyed).toBe(true);
    expect(JSON.stringify([error.message, error])).not.toContain(secret);
  });

  it.each([
    '-ERR Unsupported authentication mechanism.',
    '-ERR [AUTH] Unsupported authentication mechanism.',
  ])('has not the mechanism, which says nothing of the password: %s', async (line) => {
    for (const mechanism of [plain('ada', secret), login('ada', secret), cramMd5('ada', secret), scram()]) {
      const { pending, client, says } = await begun(mechanism);
      await says(line);
      const error = await failure<Pop3Error>(pending);
      expect(error).toMatchObject({ kind: 'person', code: 'E_POP3_MECHANISM' });
      expect(error.message).toContain('does not take this way of signing in');
      expect(client.closedBy).toBeNull();
    }
  });

  it.each([
    ['-ERR [IN-USE] locked', 'E_POP3_IN_USE'],
    ['-ERR too many connections', 'E_POP3_THROTTLED'],
    ['-ERR Plaintext authentication disallowed', 'E_POP3_TLS_WANTED'],
  ])('says before it was told anything what has nothing to do with the mechanism: %s', async (line, code) => {
    const { pending, says } = await begun(plain('ada', secret));
    await says(line);
    expect(await failure<Pop3Error>(pending)).toMatchObject({ code });
  });

  it('goes on with challenges for ever', async () => {
    const endless: Mechanism = {
      ...plain('ada', secret),
      answer: () => ({ say: Buffer.from('x') }),
    };
    const { pending, says } = await begun(endless);
    for (let times = 0; times < 12; times += 1) await says('+ ');
    expect(await failure<Pop3Error>(pending)).toMatchObject({ code: 'E_POP3_CHALLENGES', kind: 'broken' });
  });

  it('sends a challenge where none can be', async () => {
    const { line, client } = await handSession();
    const pending = client.signIn('ada', secret);
    line.say('+ \r\n');
    expect(await failure<Pop3Error>(pending)).toMatchObject({ code: 'E_POP3_NOT_POP3' });
  });

  it('falls silent behind a challenge', async () => {
    const { pending, timer, says } = await begun(plain('ada', secret));
    await says('+ ');
    timer.advance(3_600_000);
    expect(await failure<Pop3Error>(pending)).toMatchObject({ kind: 'lost', command: 'AUTH' });
  });

  it.each([
    `-ERR you said ${base64(`\0ada\0${secret}`)}`,
    `-ERR bad ${secret}`,
    `+ ${base64(secret)} and more`,
  ])('repeats the secret, which nobody is shown: case %#', async (said) => {
    const { pending, says } = await begun(plain('ada', secret));
    await says('+ ');
    await says(said);
    const error = await failure<Pop3Error>(pending);
    const shown = JSON.stringify([error.message, error, error.stack]);
    for (const form of [secret, base64(secret).slice(0, 12), base64(`\0ada\0${secret}`)])
      expect(shown).not.toContain(form);
  });
});

it.each([
  () => plain('ada', 'a\0b'),
  () => xoauth2('ada', 'a\r\nb'),
  () => xoauth2('ada', 'Bearer abc'),
  () => oauthBearer('ada', 'a\x01b', { host: 'pop.example.org', port: 995 }),
])('nothing is sent of what a mechanism cannot carry: case %#', async (mechanism) => {
  const { pending, written } = await begun(mechanism());
  expect(await failure<Pop3Error>(pending)).toMatchObject({ code: 'E_POP3_ARGUMENT', kind: 'person' });
  expect(written()).toBe('');
});
