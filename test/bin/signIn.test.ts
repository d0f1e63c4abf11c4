/** The command over settings that sign in by other means than USER and PASS: wiring, words and exit codes. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { canary, formsIn } from '../canaries.ts';
import { bearerAuth } from '../servers/scriptedAuth.ts';
import { mailferry, messages, server, workFolder } from './harness.ts';

/** A server that takes one token, and a folder with settings whose mailbox shows what `token` is. */
async function bearing(token: object) {
  const secret = canary().replace(/[^ -~]/g, '');
  const auth = bearerAuth({
    tokenOf: (user) => (user === 'ferry' ? secret : undefined),
    complains: '{"status":"401"}',
    refusal: '-ERR [AUTH] no',
  });
  const pop3 = await server({
    messages: messages(2),
    behaviour: { auth, capabilities: ['UIDL', 'SASL XOAUTH2'] },
  });
  const cwd = await workFolder();
  const mailbox = {
    ...{ id: 'support', host: pop3.host, port: pop3.port, ca: pop3.ca, user: 'ferry' },
    signIn: { token },
  };
  await writeFile(
    join(cwd, 'mailferry.yaml'),
    JSON.stringify({ store: { folder: 'store' }, mailboxes: [mailbox] }),
  );
  return { cwd, secret, pop3 };
}

describe('a token by reference', () => {
  it.each(['env:TOKEN', 'file:token'])('from %s is shown, by fetch and by check', async (from) => {
    const { cwd, secret } = await bearing({ from });
    await writeFile(join(cwd, 'token'), `${secret}\n`);
    const env = { TOKEN: secret };
    const fetched = await mailferry(['fetch'], { cwd, env });
    expect(fetched).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(fetched.stdout).toMatch(/^✓ support: 2 messages listed: 2 stored/);
    const checked = await mailferry(['check'], { cwd, env });
    expect(checked.code).toBe(EXIT.done);
    expect(checked.stdout).toContain(from);
    expect(formsIn(JSON.stringify([fetched, checked]), secret)).toEqual([]);
  });

  it('that is refused calls a person, once, and is shown to nobody', async () => {
    const { cwd, pop3 } = await bearing({ from: 'env:TOKEN' });
    const dead = `dead-${randomBytes(24).toString('base64url')}`;
    const said = await mailferry(['fetch'], { cwd, env: { TOKEN: dead } });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout + said.stderr).toContain('the server refused the access token (status 401)');
    expect(JSON.stringify(said)).not.toContain(dead);
    expect(
      pop3.log.sessions.flatMap(({ commands }) => commands.filter((line) => /^AUTH/.test(line))),
    ).toEqual(['AUTH XOAUTH2']);
  });
});

it('tells what is wrong with the settings, and what to write', async () => {
  const { cwd } = await bearing({ from: 'ey-the-token-itself' });
  const said = await mailferry(['fetch'], { cwd, env: {} });
  expect(said.code).toBe(EXIT.usage);
  expect(said.stderr).toContain(
    'mailboxes[0] ("support").signIn.token.from: must be a reference such as env:NAME',
  );
  expect(said.stderr).not.toContain('ey-the-token-itself');
});
