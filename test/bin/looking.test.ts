/** plan, check and status: what a person asks before and after, and what it must not do. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { canary, formsIn } from '../canaries.ts';
import { createAuthority } from '../servers/certificates.ts';
import { mail } from '../servers/scripted.ts';
import { mailferry, server, settingsFor, workFolder } from './harness.ts';

const HEADERS = 'Subject: x\r\nMessage-ID: <x@example.org>\r\n\r\n';
const held = () => [mail('one', `${HEADERS}1\r\n`), mail('\x1btwo', `${HEADERS}2\r\n`)];

async function set(options: Parameters<typeof server>[0] = {}, change: object = {}) {
  const pop3 = await server({ messages: held(), ...options });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3, [change]);
  const env = { PASSWORD: pop3.password };
  const commands = () => pop3.log.sessions.flatMap((session) => session.commands);
  return { pop3, cwd, env, commands };
}

const STEPS = [...['dns', 'tcp', 'tls', 'greeting', 'capabilities', 'secret', 'sign-in', 'list', 'store']];

describe('mailferry plan', () => {
  it('says what would happen and why, without RETR, DELE or a trace in the store', async () => {
    const { cwd, env, commands } = await set({}, { delete: 'when-stored' });
    const said = await mailferry(['plan'], { cwd, env });
    expect(said.code).toBe(EXIT.done);
    expect(said.stdout).toContain('support: 2 messages listed');
    expect(said.stdout).toMatch(/number +size +action +uidl +why/);
    expect(said.stdout).toMatch(/1 +\d+ B +fetch +one/);
    expect(commands().join('\n')).not.toMatch(/RETR|DELE/);
    expect(commands().at(-1)).toBe('QUIT');
    expect(await readdir(cwd)).not.toContain('store');
  });

  it('tells twins apart on a server that answers LIST of one message, but not UIDL, and leaves no trace', async () => {
    const refused = ['1', '2'].map(
      (args) => ({ verb: 'UIDL', args, reply: '-ERR no argument, please\r\n' }) as const,
    );
    const { cwd, env, commands } = await set({
      messages: [mail('same', `${HEADERS}1\r\n`), mail('same', `${HEADERS}two\r\n`)],
      faults: refused,
    });
    const { code, stdout } = await mailferry(['plan', '--json'], { cwd, env });
    expect(code).toBe(EXIT.done);
    const plan = JSON.parse(stdout) as { error: unknown; rows: { action: string }[] };
    expect(plan.error).toBeNull();
    expect(plan.rows.map(({ action }) => action)).toEqual(['fetch', 'fetch']);
    expect(commands()).toContain('TOP 2 0');
    expect(await readdir(cwd)).not.toContain('store');
  });

  it('shows what comes from strangers harmlessly, and whole to a program', async () => {
    const { cwd, env } = await set();
    const shown = await mailferry(['plan'], { cwd, env });
    expect(shown.stdout).not.toContain('\x1b');
    const { stdout } = await mailferry(['plan', '--json'], { cwd, env });
    const plan = JSON.parse(stdout) as {
      mailbox: string;
      error: unknown;
      rows: { action: string; number: number }[];
    };
    expect(plan).toMatchObject({ mailbox: 'support', error: null });
    expect(plan.rows.map(({ number, action }) => [number, action])).toContainEqual([1, 'fetch']);
  });

  it('knows what is on record', async () => {
    const { cwd, env } = await set({ messages: [mail('one', `${HEADERS}1\r\n`)] });
    await mailferry(['fetch'], { cwd, env });
    const { stdout } = await mailferry(['plan', '--json'], { cwd, env });
    expect((JSON.parse(stdout) as { rows: { action: string }[] }).rows.map(({ action }) => action)).toEqual([
      'keep',
    ]);
  });

  it('that cannot be made says why', async () => {
    const { pop3, cwd, env } = await set();
    await pop3.close();
    const said = await mailferry(['plan'], { cwd, env });
    expect(said.code).toBe(EXIT.later);
    expect(said.stdout).toMatch(/✗ support: no plan\n.*ECONNREFUSED/s);
  });
});

describe('mailferry check', () => {
  it('ticks off step by step what a run needs, and retrieves nothing', async () => {
    const { cwd, env, commands } = await set();
    const { code, stdout } = await mailferry(['check'], { cwd, env });
    expect(code).toBe(EXIT.done);
    for (const step of ['store', 'events', ...STEPS]) {
      expect(stdout).toMatch(new RegExp(`^  ✓ ${step} +[\\d.]+ m?s  \\S`, 'm'));
    }
    expect(stdout).not.toContain('✗');
    expect(commands().join('\n')).not.toMatch(/RETR|DELE/);
  });

  it('tries the store for what deletions rest on, where there are any', async () => {
    const { cwd, env } = await set({}, { delete: 'when-stored' });
    expect((await mailferry(['check'], { cwd, env })).stdout).toMatch(
      /✓ store .*can be trusted with deletions/,
    );
  });

  it('stops at a refused password with the server’s words and what to do', async () => {
    const { cwd } = await set({ faults: [{ verb: 'PASS', reply: '-ERR [AUTH] Not this \x1b[1mtime\r\n' }] });
    const secret = canary();
    const said = await mailferry(['check'], { cwd, env: { PASSWORD: secret } });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(
      /✗ sign-in .*Not this .*time \(E_POP3_AUTH\)\n +→ Check the user name and the password.*\n {2}– list +not reached\n {2}– store +not reached\n$/,
    );
    expect(said.stdout + said.stderr).not.toContain('\x1b');
    expect(formsIn(said.stdout + said.stderr, secret)).toEqual([]);
    // Said once.
    expect(said.stdout.split('Not this')).toHaveLength(2);
  });

  it('gives a program each place and each mailbox with its steps', async () => {
    const { cwd, env } = await set();
    const { code, stdout } = await mailferry(['check', '--json'], { cwd, env });
    expect(code).toBe(EXIT.done);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.slice(0, 2)).toMatchObject([
      { place: 'store', ok: true },
      { place: 'events', ok: true },
    ]);
    expect(lines.at(-1)).toEqual({ mailbox: 'support', notes: [], error: null });
    const steps = lines.slice(2, -1) as { mailbox: string; step: string; ok: boolean; ms: number }[];
    expect(steps.map(({ step }) => step)).toEqual(STEPS);
    for (const { mailbox, ok, ms } of steps) {
      expect([mailbox, ok]).toEqual(['support', true]);
      expect(ms).toBeGreaterThanOrEqual(0);
    }
  });

  it('stops at a certificate of an authority that is not trusted, before any secret is sent', async () => {
    const { cwd, env, commands } = await set();
    await writeFile(join(cwd, 'ca.pem'), (await createAuthority('Another Authority')).cert);
    const said = await mailferry(['check'], { cwd, env });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(
      /✗ tls .*authority.*\n +CN=localhost for DNS:localhost, .* days left.*\n +→ /,
    );
    expect(commands()).toEqual([]);
  });

  it('asks to come back when nobody listens', async () => {
    const { pop3, cwd, env } = await set();
    await pop3.close();
    const said = await mailferry(['check'], { cwd, env });
    expect(said.code).toBe(EXIT.later);
    expect(said.stdout).toMatch(/✗ tcp .*127\.0\.0\.1: ECONNREFUSED/);
  });

  it('names the secret that is missing and the place that cannot be written', async () => {
    const { cwd } = await set();
    await writeFile(join(cwd, 'store'), 'a file where the folder should be');
    const said = await mailferry(['check'], { cwd });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(/✗ events .*store/);
    expect(said.stdout).toMatch(/✗ secret .*PASSWORD/s);
  });
});

describe('mailferry status', () => {
  it('tells a mailbox that was never fetched', async () => {
    const { cwd, commands } = await set();
    expect(await mailferry(['status'], { cwd })).toMatchObject({
      code: EXIT.done,
      stdout: 'support: never fetched\n',
    });
    expect(commands()).toEqual([]);
  });

  it('tells what is on record, and since when it fails', async () => {
    const { pop3, cwd, env } = await set();
    await mailferry(['fetch'], { cwd, env });
    const good = await mailferry(['status'], { cwd });
    expect(good.stdout).toMatch(
      /^support: 2 messages on record; last success \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n$/,
    );
    await pop3.close();
    await mailferry(['fetch'], { cwd, env });
    const bad = await mailferry(['status'], { cwd });
    expect(bad.stdout).toMatch(/failing since .* UTC, 1 time in a row.*\n.*ECONNREFUSED/);
    const json = JSON.parse((await mailferry(['status', '--json'], { cwd })).stdout) as object;
    expect(json).toMatchObject({ mailbox: 'support', fetched: true, records: 2, backOff: { failures: 1 } });
  });

  it('refuses to guess at a state that a newer version wrote', async () => {
    const { cwd, env } = await set();
    await mailferry(['fetch'], { cwd, env });
    const store = folderStore(join(cwd, 'store'), { random: Math.random });
    const version = (await store.read('state/support.json'))?.version ?? null;
    await store.replace('state/support.json', Buffer.from('{"v":999}'), version);
    const said = await mailferry(['status'], { cwd });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(/✗ support: .*\(E_STATE_\w+\)/s);
  });
});

describe('a mailbox that is not enabled', () => {
  it.each(['plan', 'check', 'status', 'fetch'])(
    'is passed over by %s, which says so, unless it is named',
    async (command) => {
      const pop3 = await server({ messages: held() });
      const cwd = await workFolder();
      await settingsFor(cwd, pop3, [{}, { id: 'asleep', enabled: false }]);
      const env = { PASSWORD: pop3.password };
      const all = await mailferry([command], { cwd, env });
      expect(all.stderr).toContain('asleep: passed over, since it is not enabled');
      expect(all.stdout).not.toContain('asleep');
      const named = await mailferry([command, 'asleep'], { cwd, env });
      expect(named.stdout).toContain('asleep');
      expect(named.stderr).not.toContain('passed over');
    },
  );
});
