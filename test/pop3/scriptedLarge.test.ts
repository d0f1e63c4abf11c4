import { describe, expect, it } from 'vitest';
import { Pop3Client } from '../../lib/pop3/client.ts';
import { bytesOf, generatedMail, startScripted } from '../servers/scripted.ts';
import { scriptedInMemory } from '../servers/scriptedMemory.ts';
import { collector, failure } from './handLine.ts';
import { liveBytes } from './liveBytes.ts';
import { realTimer } from './realTimer.ts';
import { dial, signedInTo, THREE, withServer } from './scriptedClient.ts';

describe('the scripted server is large without memory', () => {
  it('sends a body of 128 MB that nobody holds', async () => {
    const octets = 128 << 20;
    const server = await startScripted({ messages: [generatedMail('huge', octets)] });
    const client = await signedInTo(server);
    expect(await client.listOf(1)).toBe(octets);
    const before = liveBytes();
    let passed = 0;
    let most = 0;
    let measured = 0;
    const body = await client.retr(1, (chunk) => {
      passed += chunk.length;
      if (passed - measured < 16 << 20) return;
      measured = passed;
      most = Math.max(most, liveBytes() - before);
    });
    expect(body.octets).toBe(octets);
    expect(passed).toBe(octets);
    expect(most).toBeLessThan(4 << 20);
    await client.quit();
    await server.close();
  }, 60_000);

  it('lists 200,000 messages', async () => {
    const messages = Array.from({ length: 200_000 }, (_, index) =>
      generatedMail(`id-${index}`, 1000 + index),
    );
    await withServer({ messages }, async (server) => {
      const client = await signedInTo(server);
      let last = '';
      const end = await client.uidl((_number, uidl) => {
        last = uidl;
      });
      expect(end).toEqual({ rows: 200_000, truncated: false, odd: 0 });
      expect(last).toBe('id-199999');
    });
  });

  it('generates exactly what it announces, the same each time', () => {
    for (const octets of [0, 2, 3, 50, 5000, 200_000]) {
      const message = generatedMail('same', octets);
      expect(bytesOf(message).length).toBe(octets);
      expect(bytesOf(message).equals(bytesOf(message))).toBe(true);
      if (octets > 0) expect(bytesOf(message).subarray(-2).toString()).toBe('\r\n');
    }
  });
});

describe('the scripted server in memory', () => {
  const open = (server: ReturnType<typeof scriptedInMemory>) =>
    Pop3Client.open(server.connect(), { timer: realTimer, deadlineMs: Date.now() + 30_000 });

  it('holds the same session without a socket', async () => {
    const server = scriptedInMemory({ messages: THREE });
    const client = await open(server);
    await client.signIn(server.user, server.password);
    const body = collector();
    await client.retr(2, body.take);
    expect(body.text()).toBe('b\r\n');
    await client.dele(2);
    await client.quit();
    expect(server.removals).toMatchObject([{ uidl: 'two', by: 'QUIT' }]);
  });

  it.each([
    ['fin', 'E_POP3_EOF'],
    ['rst', 'E_POP3_RESET'],
  ] as const)('ends with %s like a line', async (ending, code) => {
    const server = scriptedInMemory({ messages: THREE, faults: [{ verb: 'RETR', cutAt: 5, ending }] });
    const client = await open(server);
    await client.signIn(server.user, server.password);
    expect(await failure(client.retr(1, () => {}))).toMatchObject({ kind: 'lost', code });
  });

  it('holds the sender back while nobody reads', async () => {
    const server = scriptedInMemory({ messages: [generatedMail('huge', 64 << 20)] });
    const client = await open(server);
    await client.signIn(server.user, server.password);
    let most = 0;
    let passed = 0;
    await client.retr(1, (chunk) => {
      passed += chunk.length;
      most = Math.max(most, (server.log.sessions[0]?.bytesSent ?? 0) - passed);
    });
    expect(passed).toBe(64 << 20);
    expect(most).toBeLessThan(2 << 20);
  });
});

describe('closing the scripted server', () => {
  it('drops every line and frees the port', async () => {
    const server = await startScripted({ messages: THREE });
    const client = await signedInTo(server);
    await server.close();
    expect(await failure(client.noop())).toMatchObject({ kind: 'lost' });
    expect(await failure(dial(server, new AbortController().signal))).toMatchObject({
      code: 'E_POP3_TCP_FAILED',
    });
  });
});
