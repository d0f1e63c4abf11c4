import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { CALLS } from './calls.ts';
import { FakeTimer, settled } from './fakeTimer.ts';
import { failure, HandLine, handSession } from './handLine.ts';

describe('QUIT', () => {
  const quit = async (act: (line: HandLine) => void) => {
    const { line, client } = await handSession();
    const pending = client.quit();
    pending.catch(() => {});
    await settled();
    act(line);
    return { pending, line, client };
  };

  it('closes the connection once it is answered', async () => {
    const { pending, line, client } = await quit((server) => server.say('+OK bye\r\n'));
    await pending;
    expect(line.destroyed).toBe(true);
    expect(await failure(client.noop())).toMatchObject({ code: 'E_POP3_CLOSED' });
  });

  it('is refused with -ERR, and the connection is closed all the same', async () => {
    const { pending, line } = await quit((server) =>
      server.say('-ERR some deleted messages not removed\r\n'),
    );
    expect(await failure(pending)).toMatchObject({ kind: 'refused', code: 'E_POP3_REFUSED', phase: 'quit' });
    expect(line.destroyed).toBe(true);
  });

  it.each([
    ['the end', (line: HandLine) => line.end()],
    ['a reset', (line: HandLine) => line.break()],
  ])('answered by %s leaves it open whether the deletes were done (D-02)', async (_name, act) => {
    const { pending } = await quit(act);
    expect(await failure(pending)).toMatchObject({ kind: 'lost', code: 'E_POP3_QUIT_UNANSWERED' });
  });
});

describe('dropping the line', () => {
  it.each(CALLS)('by the signal ends $name at once', async ({ call }) => {
    const stop = new AbortController();
    const { line, client } = await handSession({ signal: stop.signal });
    const pending = failure(call(client));
    await settled();
    stop.abort(new Error('shutting down'));
    const error = await pending;
    expect(error).toMatchObject({ kind: 'lost', code: 'E_POP3_ABORTED' });
    expect((error.cause as Error).message).toBe('shutting down');
    expect(line.destroyed).toBe(true);
  });

  it('by a signal that was aborted before leaves nothing open', async () => {
    const line = new HandLine().say('+OK\r\n');
    const timer = new FakeTimer();
    const opening = Pop3Client.open(line, {
      timer,
      deadlineMs: timer.now() + 1,
      signal: AbortSignal.abort(),
    });
    expect(await failure(opening)).toMatchObject({ kind: 'lost', code: 'E_POP3_ABORTED' });
    expect(line.destroyed).toBe(true);
  });

  it('while the taker is busy does not wait for it', async () => {
    const stop = new AbortController();
    const { line, client } = await handSession({ signal: stop.signal });
    const pending = failure(client.retr(1, () => new Promise<void>(() => {})));
    await settled();
    line.say('+OK\r\nx\r\n');
    await settled();
    stop.abort();
    expect(await pending).toMatchObject({ code: 'E_POP3_ABORTED' });
  });

  it('by hand rejects the pending call with the reason, and keeps the first one', async () => {
    const { line, client } = await handSession();
    const pending = failure(client.noop());
    await settled();
    const reason = new Error('the store is gone');
    client.destroy(reason);
    client.destroy(new Error('second'));
    expect(await pending).toBe(reason);
    expect(client.closedBy).toBe(reason);
    expect(line.destroyed).toBe(true);
  });

  it('is told apart: an end, a break, half an answer', async () => {
    const cases: readonly [(line: HandLine) => void, string, string][] = [
      [(line) => line.end(), 'E_POP3_EOF', 'after 0 bytes of the answer'],
      [(line) => line.break(), 'E_POP3_RESET', 'after 0 bytes of the answer'],
      [(line) => line.say('+O').end(), 'E_POP3_EOF', 'after 2 bytes of the answer'],
    ];
    for (const [act, code, words] of cases) {
      const { line, client } = await handSession();
      const pending = failure(client.dele(3));
      await settled();
      act(line);
      const error = await pending;
      expect(error).toMatchObject({ kind: 'lost', code, phase: 'dele', command: 'DELE 3' });
      expect(error.message).toContain(words);
    }
  });
});
