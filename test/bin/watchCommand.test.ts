/** `mailferry watch` over scripted servers: what it prints, how it ends, and that nobody waits for anybody else. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { canary, formsIn } from '../canaries.ts';
import {
  mailferry,
  messages,
  reportsIn,
  server,
  settingsFor,
  stalled,
  startMailferry,
  workFolder,
} from './harness.ts';

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

interface Until {
  readonly argv?: readonly string[];
  readonly env: Record<string, string>;
  /** Asked with the reports and lines that stdout has by now. */
  enough(stdout: string): boolean | Promise<boolean>;
}

/** Watches in this process until `enough`, then as after Ctrl-C. */
async function watchUntil(cwd: string, { argv = [], env, enough }: Until) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let heard = '';
  const onStdout = (text: string) => {
    heard = text;
  };
  const said = mailferry(['watch', ...argv], { cwd, env, signal: stop.signal, onStdout });
  await expect.poll(() => enough(heard), { timeout: 50_000 }).toBe(true);
  stop.abort();
  return said;
}

const storedIn = async (cwd: string, mailbox: string) =>
  (await readdir(join(cwd, 'store', 'mail', mailbox)).catch(() => [])).filter((name) => name.endsWith('.eml'))
    .length;

describe('mailferry watch', () => {
  it('says one line with its date for each run that had something to say, and ends well when it is told to', async () => {
    const pop3 = await server({ messages: messages(3), users: { two: [] } });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{}, { id: 'empty', user: 'two', password: 'env:TWO' }]);
    const env = { PASSWORD: pop3.password, TWO: pop3.mailboxes.get('two')?.password ?? '' };
    const quit = () => pop3.log.sessions.filter(({ quit }) => quit).length;
    const said = await watchUntil(cwd, { env, enough: (stdout) => stdout !== '' && quit() === 2 });
    expect(said.code).toBe(EXIT.done);
    expect(said.stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ✓ support: 3 messages listed: 3 stored \([\d.]+ k?B\); [\d.]+ s\n$/,
    );
    expect(said.stderr).toBe('Watching 2 mailboxes until Ctrl-C or SIGTERM.\n');
  });

  it('tells of a mailbox that fails in the server’s words, and leaves it alone as its back-off says', async () => {
    const pop3 = await server({ messages: messages(1) });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3, [{ id: 'wrong', password: 'env:WRONG' }, {}]);
    const env = { PASSWORD: pop3.password, WRONG: canary() };
    const first = await watchUntil(cwd, {
      env,
      argv: ['--json'],
      enough: (stdout) => linesOf(stdout).length === 2,
    });
    expect(
      reportsIn(first.stdout)
        .map(({ mailbox, outcome }) => [mailbox, outcome])
        .sort(),
    ).toEqual([
      ['support', 'done'],
      ['wrong', 'failed'],
    ]);
    const sessions = pop3.log.sessions.length;
    const again = await watchUntil(cwd, {
      env,
      enough: (stdout) => stdout !== '' && pop3.log.sessions.length > sessions,
    });
    // A turn that falls due meanwhile may have more to say.
    expect(linesOf(again.stdout)).toContainEqual(
      expect.stringMatching(/UTC ! wrong: not tried before .* UTC \| wrong: sign-in .*\(E_POP3_\w+\)$/),
    );
    expect(formsIn(first.stdout + again.stdout, env.WRONG)).toEqual([]);
  });

  it('fetches all others while a server is dead, another drips, and a large import goes on', async () => {
    const pop3 = await server({
      messages: messages(2),
      users: { big: messages(70, 'b'), drip: messages(1, 'd') },
      faults: [
        { verb: 'RETR', uidl: 'd0', pieces: [1], dripMs: 400 },
        ...Array.from({ length: 70 }, (_, at) => ({ verb: 'RETR', uidl: `b${at}`, delayMs: 80 })),
      ],
      behaviour: { capabilities: ['UIDL', 'TOP', 'USER'] },
    });
    const dead = await server({ faults: [{ verb: 'GREETING', cutAt: 0, ending: 'stall' }] });
    const cwd = await workFolder();
    const of = (user: string) => ({ id: user, user, password: `env:${user.toUpperCase()}` });
    await settingsFor(cwd, pop3, [{ id: 'dead', port: dead.port }, of('drip'), of('big'), {}], {
      connectionsPerHost: 9,
    });
    const passwordOf = (user: string) => pop3.mailboxes.get(user)?.password ?? '';
    const env = { PASSWORD: pop3.password, BIG: passwordOf('big'), DRIP: passwordOf('drip') };
    const said = await watchUntil(cwd, {
      env,
      // 70 × 80 ms do not fit into one run.
      argv: ['--json', '--time-limit', '4'],
      enough: (stdout) => {
        const sum = (id: string) =>
          reportsIn(stdout).reduce(
            (all, { mailbox, counts }) => all + (mailbox === id ? counts.stored : 0),
            0,
          );
        return sum('support') === 2 && sum('big') === 70;
      },
    });
    const reports = reportsIn(said.stdout);
    const big = reports.filter(({ mailbox }) => mailbox === 'big');
    expect(big.length).toBeGreaterThan(1);
    expect(big.reduce((sum, { counts }) => sum + counts.stored, 0)).toBe(70);
    expect(reports.find(({ mailbox }) => mailbox === 'support')).toMatchObject({ counts: { stored: 2 } });
  });

  it.each([1, 2])('with %i mailboxes sets a message aside that ends the connection', async (count) => {
    const pop3 = await server({
      messages: messages(4),
      users: { other: messages(1, 'n') },
      faults: [{ verb: 'RETR', uidl: 'm2', cutAt: 20, ending: 'fin' }],
    });
    const cwd = await workFolder();
    const other = { id: 'other', user: 'other', password: 'env:OTHER' };
    await settingsFor(cwd, pop3, [{ attempts: 1 }, other].slice(0, count));
    const env = { PASSWORD: pop3.password, OTHER: pop3.mailboxes.get('other')?.password ?? '' };
    const statusOf = async () => (await mailferry(['status', 'support', '--json'], { cwd })).stdout;
    const said = await watchUntil(cwd, {
      env,
      enough: async (stdout) => stdout.includes('[UIDL m2]') && (await statusOf()).includes('"uidl":"m2"'),
    });
    expect(said.code).toBe(EXIT.done);
    expect(said.stdout).toContain('[UIDL m2]');
    expect(await storedIn(cwd, 'support')).toBe(3);
  });

  it('puts what was stored on record when it is told to end, and the next one goes on there', async () => {
    const { cwd, env, child } = await stalled(['watch', '--json']);
    child.process.kill('SIGTERM');
    const said = await child.ended;
    expect(said.code).toBe(EXIT.done);
    expect(said.stderr).toContain('Stopping');
    const stored = reportsIn(said.stdout)[0]?.counts.stored ?? 0;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(60);
    const rest = await watchUntil(cwd, {
      env,
      argv: ['--json'],
      enough: (stdout) => stdout !== '',
    });
    expect(reportsIn(rest.stdout)[0]?.counts).toMatchObject({ listed: 60, alreadyStored: stored });
  });

  it('ends at once at a second signal', async () => {
    const pop3 = await server({
      messages: messages(1),
      faults: [{ verb: 'RETR', cutAt: 20, ending: 'stall' }],
    });
    const cwd = await workFolder();
    await settingsFor(cwd, pop3);
    const child = startMailferry(['watch'], { cwd, env: { PASSWORD: pop3.password } });
    await expect.poll(() => pop3.log.sessions[0]?.retrieved.length, { timeout: 30_000 }).toBe(1);
    child.process.kill('SIGINT');
    // Later than what npm and a terminal make of one press.
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.process.kill('SIGINT');
    expect((await child.ended).code).toBe(EXIT.interrupted);
  });
});
