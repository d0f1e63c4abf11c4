import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { canary, formsIn } from '../canaries.ts';
import { bytesOf, generatedMail, type ScriptedMessage } from '../servers/scripted.ts';
import { mailferry, messages, reportsIn, server, settingsFor, stalled, workFolder } from './harness.ts';

async function expectStored(
  folder: string,
  held: readonly ScriptedMessage[],
  mailbox = 'support',
): Promise<void> {
  for (const message of held) {
    expect((await readFile(join(folder, messageKey(mailbox, message.uidl)))).equals(bytesOf(message))).toBe(
      true,
    );
  }
  expect((await readdir(join(folder, 'mail', mailbox))).length).toBe(held.length);
}

describe('mailferry fetch', () => {
  it('stores all mail and says so in figures that add up', async () => {
    const held = messages(20);
    const pop3 = await server({ messages: held });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    const env = { PASSWORD: pop3.password };
    const first = await mailferry(['fetch'], { cwd, env });
    expect(first).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(first.stdout).toMatch(/^✓ support: 20 messages listed: 20 stored \([\d.]+ k?B\); [\d.]+ s\n$/);
    await expectStored(join(cwd, 'store'), held);
    const events = (await readFile(join(cwd, 'store', 'events.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line) as object).length).toBeGreaterThanOrEqual(20);

    const again = await mailferry(['fetch'], { cwd, env });
    expect(again.stdout).toMatch(/^✓ support: 20 messages listed: 20 already stored; /);
    expect(pop3.log.sessions.flatMap(({ retrieved }) => retrieved)).toHaveLength(20);
    expect(pop3.messages).toHaveLength(20);
  });

  it('gives a program one report for each mailbox and nothing else', async () => {
    const pop3 = await server({ messages: messages(3), users: { two: messages(2, 'n') } });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{}, { id: 'second', user: 'two', password: 'env:TWO' }]);
    const env = { PASSWORD: pop3.password, TWO: pop3.mailboxes.get('two')?.password ?? '' };
    const { code, stdout } = await mailferry(['fetch', '--json'], { cwd, env });
    expect(code).toBe(EXIT.done);
    const reports = reportsIn(stdout);
    expect(reports.map(({ mailbox, outcome, counts }) => [mailbox, outcome, counts.stored])).toEqual([
      ['support', 'done', 3],
      ['second', 'done', 2],
    ]);
    for (const { counts } of reports) {
      const { listed, ...parts } = counts;
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(listed);
    }
  });

  it('opens no more connections to one host at once than the settings say', async () => {
    const opened: number[] = [];
    const bye = () => {
      opened.push(pop3.log.connections);
      return [Buffer.from('+OK bye\r\n')];
    };
    // While one is slow to end its session, others would have connected long since.
    const pop3 = await server({
      messages: messages(1),
      faults: [
        { verb: 'CAPA', delayMs: 50 },
        { verb: 'QUIT', reply: bye },
      ],
    });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{}, { id: 'two' }, { id: 'three' }], { connectionsPerHost: 1 });
    expect((await mailferry(['fetch'], { cwd, env: { PASSWORD: pop3.password } })).code).toBe(EXIT.done);
    expect(opened).toEqual([1, 2, 3]);
  });

  it('deletes what is proved where the mailbox says so, and keeps what it found out about the store', async () => {
    const held = [...messages(4), generatedMail('large', 9_000_000)];
    const pop3 = await server({ messages: held });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{ delete: 'when-stored' }]);
    const said = await mailferry(['fetch'], { cwd, env: { PASSWORD: pop3.password } });
    expect(said.code).toBe(EXIT.done);
    expect(said.stdout).toContain('5 messages deleted from the server');
    expect(pop3.messages).toHaveLength(0);
    await expectStored(join(cwd, 'store'), held);
    expect(await readdir(join(cwd, 'store', 'state'))).toContain('_abilities.json');
  });

  it('keeps stdout for events where they go there', async () => {
    const pop3 = await server({ messages: messages(2) });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{}], { events: { stdout: true } });
    const { code, stdout, stderr } = await mailferry(['fetch'], { cwd, env: { PASSWORD: pop3.password } });
    expect(code).toBe(EXIT.done);
    expect(stderr).toContain('✓ support: 2 messages listed');
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('detail');
  });

  it('shows progress on a terminal and leaves nothing of it', async () => {
    const pop3 = await server({
      messages: messages(3),
      faults: [{ verb: 'RETR', uidl: 'm2', delayMs: 600 }],
    });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    const { stdout, stderr } = await mailferry(['fetch'], {
      cwd,
      env: { PASSWORD: pop3.password },
      tty: true,
    });
    expect(stderr).toContain('\r\x1b[Ksupport: 0 of 3 messages');
    expect(stderr.endsWith('\r\x1b[K')).toBe(true);
    expect(stdout).not.toContain('\x1b');
  });

  it('says which mailbox failed, in the server’s words, and fetches the others', async () => {
    const pop3 = await server({ messages: messages(2) });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [
      { id: 'wrong', password: 'env:WRONG' },
      {},
      { id: 'unset', password: 'env:UNSET' },
    ]);
    const env = { PASSWORD: pop3.password, WRONG: canary() };
    const said = await mailferry(['fetch'], { cwd, env });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(/✗ wrong: failed/);
    expect(said.stdout).toMatch(/wrong: .*\(E_POP3_\w+, sign-in\)/s);
    expect(said.stdout).toMatch(/✓ support: 2 messages listed: 2 stored/);
    expect(said.stdout).toMatch(/unset: .*UNSET.*\(E_SECRET_\w+, secret\)/s);
    expect(formsIn(said.stdout + said.stderr, env.WRONG)).toEqual([]);
  });

  it('asks to come back later while the server cannot be reached', async () => {
    const pop3 = await server();
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    await pop3.close();
    const said = await mailferry(['fetch'], { cwd, env: { PASSWORD: pop3.password } });
    expect(said.code).toBe(EXIT.later);
    expect(said.stdout).toContain('ECONNREFUSED');
  });

  it('fetches on while as many servers as are asked at once say nothing', async () => {
    const silent = Array.from({ length: 16 }, (_, at) => ({
      verb: 'GREETING',
      session: at + 1,
      cutAt: 0,
      ending: 'stall' as const,
    }));
    const pop3 = await server({ messages: messages(2), faults: silent });
    const cwd = await workFolder();
    await settingsFor(
      cwd,
      pop3,
      Array.from({ length: 17 }, (_, at) => ({ id: `m${at}` })),
      { connectionsPerHost: 17 },
    );
    const stop = new AbortController();
    const said = mailferry(['fetch', '--json'], {
      cwd,
      env: { PASSWORD: pop3.password },
      signal: stop.signal,
    });
    await expect.poll(() => pop3.log.sessions.some(({ quit }) => quit), { timeout: 30_000 }).toBe(true);
    stop.abort();
    const stored = reportsIn((await said).stdout).map(({ counts }) => counts.stored);
    expect(stored.sort()).toEqual([...Array(16).fill(0), 2]);
  });

  it('ends in order on Ctrl-C: what was stored is on record, and the next run fetches the rest', async () => {
    const { held, cwd, env, child } = await stalled(['fetch', '--json']);
    // As npm does it: once by the terminal, once passed on.
    child.process.kill('SIGINT');
    child.process.kill('SIGINT');
    const said = await child.ended;
    expect(said.code).toBe(EXIT.interrupted);
    expect(said.stderr).toContain('Stopping');
    const [report] = reportsIn(said.stdout);
    const stored = report?.counts.stored ?? 0;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(60);
    const status = await mailferry(['status', '--json'], { cwd });
    expect(JSON.parse(status.stdout)).toMatchObject({ mailbox: 'support', records: stored });

    const rest = await mailferry(['fetch', '--json'], { cwd, env });
    expect(rest.code).toBe(EXIT.done);
    expect(reportsIn(rest.stdout)[0]?.counts).toMatchObject({
      listed: 60,
      stored: 60 - stored,
      alreadyStored: stored,
    });
    await expectStored(join(cwd, 'store'), held);
  });

  it('goes on with run after run until all is fetched', async () => {
    const held = messages(60);
    const pop3 = await server({
      messages: held,
      behaviour: { capabilities: ['UIDL', 'TOP', 'USER'] },
      faults: [{ verb: 'RETR', delayMs: 50 }],
    });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    // 60 × 50 ms do not fit into one run.
    const said = await mailferry(['fetch', '--json', '--time-limit', '2'], {
      cwd,
      env: { PASSWORD: pop3.password },
    });
    expect(said.code).toBe(EXIT.done);
    expect(pop3.log.sessions.length).toBeGreaterThan(1);
    expect(reportsIn(said.stdout)).toMatchObject([
      { outcome: 'done', counts: { listed: 60, stored: 60, alreadyStored: 0 } },
    ]);
    await expectStored(join(cwd, 'store'), held);
  });

  it.each([1, 2])(
    'with %i mailboxes sets a message aside that ends the connection, and stores all others',
    async (count) => {
      const pop3 = await server({
        messages: messages(8),
        users: { other: messages(3, 'n') },
        faults: [{ verb: 'RETR', uidl: 'm4', cutAt: 20, ending: 'fin' }],
      });
      const cwd = await workFolder();
      const other = { id: 'other', user: 'other', password: 'env:OTHER' };
      await settingsFor(cwd, pop3, [{ attempts: 1 }, other].slice(0, count));
      const env = { PASSWORD: pop3.password, OTHER: pop3.mailboxes.get('other')?.password ?? '' };
      const said = await mailferry(['fetch'], { cwd, env });
      expect(said.code).toBe(EXIT.messages);
      expect(said.stdout).toMatch(/! support: 8 messages listed: 7 stored \([\d.]+ k?B\), 1 set aside;/);
      expect(said.stdout).toContain('[UIDL m4]');
      expect(said.stdout.includes('✓ other: 3 messages listed: 3 stored')).toBe(count === 2);
      const status = await mailferry(['status'], { cwd });
      expect(status.stdout).toMatch(/1 message set aside, left on the server:\n +uidl .*\n +m4 /);
      const json = await mailferry(['status', '--json'], { cwd });
      expect(JSON.parse(json.stdout.split('\n')[0] ?? '')).toMatchObject({
        setAside: [{ uidl: 'm4', attempts: 1 }],
      });
    },
  );
});
