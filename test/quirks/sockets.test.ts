/** What a process must outlive that only real sockets do (C-10). */
import { expect, it } from 'vitest';
import { signedInTo } from '../pop3/scriptedClient.ts';
import { startScripted } from '../servers/scripted.ts';

it.each([
  { ending: 'rst', suffix: '' },
  { ending: 'fin', suffix: '+OK still here\r\n'.repeat(2000) },
  { ending: 'fin without close_notify', suffix: '' },
] as const)(
  'a server that sends on, or resets, after both sides have ended ($ending) ends nobody',
  async (fault) => {
    const seen: unknown[] = [];
    const note = (error: unknown) => seen.push(error);
    process.on('uncaughtException', note);
    const server = await startScripted({
      faults: [{ verb: 'QUIT', pieces: [5, 1000], dripMs: 1, ...fault }],
    });
    try {
      const client = await signedInTo(server);
      await client.quit().catch(() => {});
      const next = await signedInTo(server);
      await next.noop();
      next.destroy(new Error('done'));
    } finally {
      await server.close();
      process.off('uncaughtException', note);
    }
    expect(seen).toEqual([]);
  },
);
