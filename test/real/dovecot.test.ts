/** The Dovecot that other tests rely on: private, exact about bytes, and gone with the process that started it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus, fromDovecot, generated, LARGE_BYTES, selfCutting } from '../corpus.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';
import { recordRetr } from '../servers/recordRetr.ts';
import { startTcpProxy } from '../servers/tcpProxy.ts';

const program = process.env['MAILFERRY_DOVECOT'];
const title = program ? 'a private Dovecot' : 'a private Dovecot, skipped: not installed (MAILFERRY_DOVECOT)';

describe.skipIf(!program)(title, () => {
  let server: Dovecot;

  beforeAll(async () => {
    server = await startDovecot(program ?? '', { users: 6 });
  });
  afterAll(() => server?.stop());

  const mailbox = (index: number) => {
    const { host, port, ca } = server;
    return { host, port, ca, ...server.users[index]! };
  };

  it('gives the corpus back, byte for byte but for the line ends that Dovecot is known to mend', async () => {
    const samples = corpus();
    const { name } = server.users[0]!;
    await server.put(
      name,
      samples.map(({ bytes }) => bytes()),
    );
    const got = [...(await recordRetr(mailbox(0))).values()];
    expect(got).toHaveLength(samples.length);
    const wrong = samples.filter(({ bytes }, index) => !fromDovecot(bytes()).equals(got[index]!));
    expect(wrong.map((sample) => sample.name)).toEqual([]);
  });

  it('does not stuff a lone dot as the very first line, where it reads as the end of the reply', async () => {
    const { name } = server.users[5]!;
    await server.put(name, [selfCutting().bytes()]);
    // The naive reader looks for the end in what came last, so it has all; a stuffed dot would have left one.
    const [got] = (await recordRetr(mailbox(5))).values();
    expect(got?.toString('latin1')).toMatch(/^\r\n\+OK forged\r\n/);
  });

  it('gives a 60 MB message back', async () => {
    const message = Buffer.concat([...generated(LARGE_BYTES)]);
    expect(message.length).toBe(LARGE_BYTES);
    const { name } = server.users[1]!;
    await server.put(name, [message]);
    const [got] = (await recordRetr(mailbox(1))).values();
    expect(message.equals(got!)).toBe(true);
  });

  it('lists what was put, in order, and still does after a session has read it', async () => {
    const { name } = server.users[2]!;
    const put = await server.put(name, [
      Buffer.from('Subject: 1\r\n\r\n'),
      Buffer.from('Subject: 2\r\n\r\n'),
    ]);
    await recordRetr(mailbox(2));
    expect(await server.list(name)).toEqual(put);
  });

  it('refuses a wrong password and a certificate of another authority', async () => {
    await expect(recordRetr({ ...mailbox(0), password: 'wrong' })).rejects.toThrow('[AUTH]');
    const other = await startDovecot(program ?? '');
    try {
      await expect(recordRetr({ ...mailbox(0), ca: other.ca })).rejects.toThrow('certificate');
    } finally {
      await other.stop();
    }
  });

  it('loses only the sessions of the user whose processes are killed', async () => {
    const [victim, bystander] = [server.users[3]!, server.users[4]!];
    await server.put(victim.name, [Buffer.concat([...generated(4_000_000)])]);
    await server.put(bystander.name, [Buffer.from('Subject: safe\r\n\r\n')]);
    const proxy = await startTcpProxy(server);
    try {
      // A message held back on its way keeps the session open until it is killed.
      proxy.plan = { cut: { direction: 'toClient', afterBytes: 1_000_000, how: 'freeze' } };
      const session = recordRetr({ ...mailbox(3), port: proxy.port });
      await reached(() => bytesIn(proxy.recordings[0]?.toClient) === 1_000_000);
      expect(await server.killPop3(victim.name)).toBe(1);
      expect(await server.killPop3(victim.name)).toBe(0);
      proxy.reset();
      await expect(session).rejects.toThrow();
    } finally {
      await proxy.stop();
    }
    expect((await recordRetr(mailbox(4))).size).toBe(1);
    expect((await recordRetr(mailbox(3))).size).toBe(1);
  });

  it('keeps mail as mdbox too', async () => {
    const other = await startDovecot(program ?? '', { format: 'mdbox' });
    try {
      const { host, port, ca, users } = other;
      const messages = [Buffer.from('Subject: 1\r\n\r\n.\r\n'), Buffer.from('Subject: 2\r\n\r\n')];
      expect(await other.put(users[0]!.name, messages)).toHaveLength(2);
      expect([...(await recordRetr({ host, port, ca, ...users[0]! })).values()]).toEqual(messages);
      expect(await other.list(users[0]!.name)).toHaveLength(2);
    } finally {
      await other.stop();
    }
  });

  it('says why it did not start', async () => {
    await expect(startDovecot(program ?? '', { options: ['no_such_setting = yes'] })).rejects.toThrow(
      'no_such_setting',
    );
  });

  it('ends with a process that is killed before it could stop it', async () => {
    const module = fileURLToPath(new URL('../servers/dovecot.ts', import.meta.url));
    const script = `
      const { startDovecot } = await import(${JSON.stringify(module)});
      console.log((await startDovecot(${JSON.stringify(program)})).pid);
      setInterval(() => {}, 1000);`;
    const folder = await mkdtemp(join(tmpdir(), 'killed-'));
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    owner.kill('SIGKILL');
    await reached(() => !existsSync(`/proc/${pid}`));
    await rm(folder, { recursive: true, maxRetries: 5 });
  });
});

/** The test's own time limit ends the wait. */
async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function bytesIn(chunks: readonly Buffer[] | undefined): number {
  return (chunks ?? []).reduce((sum, chunk) => sum + chunk.length, 0);
}
