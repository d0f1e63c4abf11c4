import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { POP3_LIMITS } from '../../lib/pop3/limits.ts';
import { FakeTimer, settled } from './fakeTimer.ts';
import { DEADLINE_MS, failure, HandLine, type HandSession, handSession } from './handLine.ts';

const noRow = () => {};
const { greetingMs, commandMs, signInMs, listingMs, quitMs, idleMs, rateWindowMs } = POP3_LIMITS;

interface Waiting {
  readonly name: string;
  readonly call: (client: Pop3Client) => Promise<unknown>;
  /** Said before the silence begins. */
  readonly said?: string;
  readonly limitMs: number;
  readonly phase: string;
}

/** Every place where a session waits for its server. */
const WAITS: readonly Waiting[] = [
  { name: 'CAPA', call: (client) => client.capa(), limitMs: commandMs, phase: 'capa' },
  {
    name: 'the rest of CAPA',
    call: (client) => client.capa(),
    said: '+OK\r\nTOP\r\n',
    limitMs: idleMs,
    phase: 'capa',
  },
  { name: 'USER', call: (client) => client.signIn('u', 'p'), limitMs: signInMs, phase: 'sign-in' },
  {
    name: 'PASS',
    call: (client) => client.signIn('u', 'p'),
    said: '+OK\r\n',
    limitMs: signInMs,
    phase: 'sign-in',
  },
  { name: 'UIDL', call: (client) => client.uidl(noRow), limitMs: listingMs, phase: 'uidl' },
  {
    name: 'the rest of UIDL',
    call: (client) => client.uidl(noRow),
    said: '+OK\r\n1 a',
    limitMs: listingMs,
    phase: 'uidl',
  },
  { name: 'LIST', call: (client) => client.list(noRow), limitMs: listingMs, phase: 'list' },
  { name: 'UIDL 1', call: (client) => client.uidlOf(1), limitMs: commandMs, phase: 'uidl' },
  { name: 'LIST 1', call: (client) => client.listOf(1), said: '+OK 1', limitMs: commandMs, phase: 'list' },
  { name: 'TOP', call: (client) => client.top(1, 0, noRow), limitMs: commandMs, phase: 'top' },
  {
    name: 'the rest of TOP',
    call: (client) => client.top(1, 0, noRow),
    said: '+OK\r\nA:',
    limitMs: idleMs,
    phase: 'top',
  },
  { name: 'RETR', call: (client) => client.retr(1, noRow), limitMs: commandMs, phase: 'retr' },
  {
    name: 'the rest of RETR',
    call: (client) => client.retr(1, noRow),
    said: '+OK\r\nA: b\r\n.',
    limitMs: idleMs,
    phase: 'retr',
  },
  { name: 'DELE', call: (client) => client.dele(1), limitMs: commandMs, phase: 'dele' },
  { name: 'NOOP', call: (client) => client.noop(), limitMs: commandMs, phase: 'noop' },
  { name: 'QUIT', call: (client) => client.quit(), limitMs: quitMs, phase: 'quit' },
];

async function waiting({ call, said }: Waiting, deadlineMs = DEADLINE_MS) {
  const session = await handSession();
  const timer = session.timer;
  const line = new HandLine().say('+OK\r\n');
  const client = await Pop3Client.open(line, { timer, deadlineMs: timer.now() + deadlineMs });
  let error: unknown = null;
  const pending = failure(call(client)).then((caught) => {
    error = caught;
    return caught;
  });
  await settled();
  if (said !== undefined) line.say(said);
  await settled();
  return { line, timer, client, pending, over: () => error !== null };
}

describe('a server that falls silent', () => {
  it.each(WAITS)('in $name is waited for as long as that may take, and no longer', async (wait) => {
    const { line, timer, pending, over } = await waiting(wait);
    await timer.advance(wait.limitMs - 1);
    expect(over()).toBe(false);
    await timer.advance(1);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_TIMEOUT', phase: wait.phase });
    expect(line.destroyed).toBe(true);
    expect(timer.pending).toBe(0);
  });

  it.each(WAITS)('in $name is not waited for beyond the deadline', async (wait) => {
    const { timer, pending, over } = await waiting(wait, 5000);
    await timer.advance(4999);
    expect(over()).toBe(false);
    await timer.advance(1);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_DEADLINE', phase: wait.phase });
  });

  it.each(WAITS)('in $name is not heard again: a late answer is paired with nothing', async (wait) => {
    const { line, timer, client, pending } = await waiting(wait);
    await timer.advance(wait.limitMs);
    await pending;
    line.heard.length = 0;
    line.say('+OK late\r\n.\r\n');
    expect(await failure(client.noop())).toMatchObject({ code: 'E_POP3_CLOSED' });
    expect(await failure(client.quit())).toMatchObject({ code: 'E_POP3_CLOSED' });
    expect(line.heard).toEqual([]);
  });

  it('before its greeting', async () => {
    const line = new HandLine();
    const timer = new FakeTimer();
    const pending = failure(Pop3Client.open(line, { timer, deadlineMs: timer.now() + DEADLINE_MS }));
    await timer.advance(greetingMs);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_TIMEOUT', phase: 'greeting' });
    expect(line.destroyed).toBe(true);
  });

  it('and does not read what is written', async () => {
    const { line, timer, client } = await handSession();
    line.deaf = true;
    const pending = failure(client.noop());
    await timer.advance(commandMs);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_TIMEOUT', phase: 'noop' });
  });
});

/** Says one byte every `everyMs`, until the line is dropped. */
async function drip({ line, timer }: Pick<HandSession, 'line' | 'timer'>, everyMs: number): Promise<number> {
  const began = timer.now();
  while (!line.destroyed && timer.now() - began < 2 * DEADLINE_MS) {
    await timer.advance(everyMs);
    if (!line.destroyed) line.say('x');
    await settled();
  }
  await settled();
  return timer.now() - began;
}

describe('a server that drips one byte a second', () => {
  it.each(WAITS)('in $name is dropped although it is never silent (D4)', async (wait) => {
    const session = await waiting(wait);
    const tookMs = await drip(session, 1000);
    expect(await session.pending).toMatchObject({ kind: 'lost' });
    // A whole status line has the limit of its phase; a body or listing is judged by its rate.
    expect(tookMs).toBeLessThanOrEqual(Math.max(wait.limitMs, rateWindowMs) + 1000);
  });

  it('in its greeting is dropped when the greeting is due', async () => {
    const line = new HandLine();
    const timer = new FakeTimer();
    const pending = failure(Pop3Client.open(line, { timer, deadlineMs: timer.now() + DEADLINE_MS }));
    expect(await drip({ line, timer }, 1000)).toBeLessThanOrEqual(greetingMs);
    expect(await pending).toMatchObject({ code: 'E_POP3_TIMEOUT', phase: 'greeting' });
  });

  it('just before each silence would be too long is dropped for its rate', async () => {
    const session = await waiting({
      name: '',
      call: (client) => client.retr(1, noRow),
      said: '+OK\r\n',
      limitMs: 0,
      phase: 'retr',
    });
    expect(await drip(session, idleMs - 1)).toBeLessThanOrEqual(2 * idleMs);
    const error = await session.pending;
    expect(error).toMatchObject({ kind: 'lost', code: 'E_POP3_TOO_SLOW', phase: 'retr' });
    expect(error.message).toMatch(/after \d+ bytes of the body/);
  });
});

describe('a server that is slow but not too slow', () => {
  it('may take an hour for a body', async () => {
    const { line, timer, client } = await handSession();
    const pending = client.retr(1, noRow);
    await settled();
    line.say('+OK\r\n');
    for (let second = 0; second < 3500; second++) {
      await timer.advance(1000);
      line.say('x'.repeat(1100));
    }
    line.say('\r\n.\r\n');
    expect(await pending).toEqual({ octets: 3500 * 1100 + 2, unstuffed: false });
  });

  it('may take minutes before its first row (H-08)', async () => {
    const { line, timer, client } = await handSession();
    const pending = client.uidl(noRow);
    await settled();
    line.say('+OK\r\n');
    await timer.advance(listingMs - 1000);
    line.say('1 a\r\n.\r\n');
    expect(await pending).toMatchObject({ rows: 1 });
  });

  it('is not blamed for the time that the taker needs', async () => {
    const { line, timer, client } = await handSession();
    const pending = client.retr(
      1,
      () => new Promise<void>((resolve) => void timer.after(10 * idleMs, resolve)),
    );
    await settled();
    line.say('+OK\r\n', 'one\r\n', 'two\r\n', '.\r\n');
    await timer.advance(25 * idleMs);
    expect(await pending).toEqual({ octets: 10, unstuffed: false });
  });
});

describe('the deadline', () => {
  it('counts the time that the taker needs', async () => {
    const { line, timer, client } = await handSession();
    const pending = failure(client.retr(1, () => new Promise<void>(() => {})));
    await settled();
    line.say('+OK\r\nx\r\n');
    await timer.advance(DEADLINE_MS);
    expect(await pending).toMatchObject({ kind: 'lost', code: 'E_POP3_DEADLINE', phase: 'retr' });
    expect(line.destroyed).toBe(true);
  });

  it('that is over lets nothing be written', async () => {
    const { line, timer, client } = await handSession();
    await timer.advance(DEADLINE_MS);
    expect(await failure(client.dele(1))).toMatchObject({ kind: 'lost', code: 'E_POP3_DEADLINE' });
    expect(line.heard).toEqual([]);
  });

  it('leaves no timer behind when all goes well', async () => {
    const { line, timer, client } = await handSession();
    const pending = client.noop();
    await settled();
    line.say('+OK\r\n');
    await pending;
    expect(timer.pending).toBe(0);
  });
});
