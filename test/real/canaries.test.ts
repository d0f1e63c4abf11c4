/** Marked secrets through the bundled function under AWS's runtime client: none is in its log, figures, events, state or objects. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mailbox } from '../../lib/mailbox/settings.ts';
import { Canaries, canary, filesBelow, formsIn } from '../canaries.ts';
import { mail, type ScriptedServer, startScripted } from '../servers/scripted.ts';
import { bearerAuth } from '../servers/scriptedAuth.ts';
import { type BucketEnd, startBucket } from './endsFar.ts';
import { type FetchFunction, startFunction } from './endsFunction.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('secrets in the function', 'versitygw', 'ric');

const USER = 'ferry';
const MAIL = [mail('u1', 'Message-ID: <1@example.org>\r\nSubject: x\r\n\r\nbody\r\n')];

/** Refuses every client, and repeats all that it was shown. */
async function repeatingEndpoint() {
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    response.writeHead(401, { 'content-type': 'application/json' });
    const shown = form.get('client_secret') ?? '';
    response.end(JSON.stringify({ error: 'invalid_client', error_description: `${shown} ${form}` }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/token`,
    stop: () => void server.close(),
  };
}

describe.skipIf(missing)(title, () => {
  const canaries = new Canaries();
  const secret = canaries.make('secret');
  const echoes = [secret, Buffer.from(`\0${USER}\0${secret}`).toString('base64'), encodeURIComponent(secret)];
  let taking: ScriptedServer;
  let repeating: ScriptedServer;
  let silent: ScriptedServer;
  let endpoint: Awaited<ReturnType<typeof repeatingEndpoint>>;
  let far: BucketEnd;
  let fetcher: FetchFunction;

  beforeAll(async () => {
    const auth = bearerAuth({
      tokenOf: () => 'another',
      complains: JSON.stringify({ status: secret }),
      refusal: `-ERR [AUTH] ${echoes.join(' ')}`,
    });
    [taking, repeating, silent, endpoint, far] = await Promise.all([
      startScripted({ messages: MAIL }),
      startScripted({
        behaviour: { auth },
        faults: [{ verb: 'PASS', reply: `-ERR [AUTH] no: ${echoes.join(' ')}\r\n` }],
      }),
      startScripted({ faults: [{ verb: 'PASS', cutAt: 0, ending: 'stall' }] }),
      repeatingEndpoint(),
      startBucket(),
    ]);
    const at = (server: ScriptedServer, id: string, more: Partial<Mailbox> = {}) => ({
      ...{ id, port: server.port, ca: server.ca, user: USER, secret },
      ...more,
    });
    const bearing = (token: NonNullable<Mailbox['signIn']['token']>): Partial<Mailbox> => ({
      password: undefined,
      signIn: { mechanism: 'xoauth2', initialResponse: false, token },
    });
    const { url: tokenEndpoint } = endpoint;
    const asking = { grant: 'client-credentials', tokenEndpoint, clientId: 'c', scope: 'pop' } as const;
    fetcher = await startFunction({
      far,
      mailboxes: [
        { ...at(taking, 'taken'), secret: canaries.add('password', taking.password) },
        at(repeating, 'refused'),
        at(repeating, 'token', bearing({ from: 'secretsmanager:mailboxes#token' })),
        at(repeating, 'client', bearing({ ...asking, clientSecret: 'secretsmanager:mailboxes#client' })),
        at(silent, 'killed'),
      ],
    });
  });
  afterAll(async () => {
    await fetcher?.stop();
    await far?.stop();
    endpoint?.stop();
    await Promise.all([taking?.close(), repeating?.close(), silent?.close()]);
  });

  const foundIn = async () =>
    canaries.foundIn(
      new Map([
        ...(await filesBelow(far.folder)),
        ['events', JSON.stringify(far.bus.accepted)] as const,
        ['log and figures', fetcher.runtime.log] as const,
      ]),
    );

  it.each([
    ['taken', 'done', undefined],
    ['refused', 'failed', 'E_POP3_AUTH'],
    ['token', 'failed', 'E_POP3_TOKEN_REFUSED'],
    ['client', 'failed', 'E_TOKEN_REFUSED'],
  ])('are nowhere: %s', async (mailbox, outcome, code) => {
    expect(await fetcher.fetch(mailbox)).toMatchObject({ result: { batchItemFailures: [] } });
    const report = fetcher.report(mailbox);
    expect([report?.outcome, report?.error?.code], fetcher.runtime.log.slice(-2000)).toEqual([outcome, code]);
    expect(fetcher.runtime.log).toContain('"Namespace":"Mailferry"');
    expect(await foundIn()).toEqual([]);
  });

  it('are nowhere after the function was killed while it signed in', async () => {
    const ended = fetcher.fetch('killed');
    await expect
      .poll(() => silent.log.sessions.flatMap(({ commands }) => commands).join(), { timeout: 30_000 })
      .toContain('PASS');
    await fetcher.runtime.kill();
    expect(await ended).toMatchObject({ killed: 'exit', signal: 'SIGKILL' });
    expect(await foundIn()).toEqual([]);
  });

  it('are found where one is planted', async () => {
    const planted = canaries.add('planted', canary());
    await far.put('state/planted', { at: encodeURIComponent(planted) });
    const found = await foundIn();
    expect(found.join('\n')).toMatch(/^planted in .*planted: url$/m);
    expect(formsIn(found.join('\n'), planted)).toEqual([]);
  });
});
