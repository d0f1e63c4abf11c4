/** The command as a process whose outputs take no more, and whose terminal goes. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { messages, reportsIn, server, settingsFor, stalled, startMailferry, workFolder } from './harness.ts';

/** Where each write ends with ENOSPC, as on a full disk (Linux). */
async function fullDisk(): Promise<number> {
  const full = await open('/dev/full', 'w');
  onTestFinished(() => full.close());
  return full.fd;
}

async function place(count: number, top: object = {}) {
  const pop3 = await server({ messages: messages(count) });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3, [{}], top);
  return { cwd, env: { PASSWORD: pop3.password } };
}

const storedIn = async (cwd: string) => (await readdir(join(cwd, 'store', 'mail', 'support'))).length;

describe('stdout on a full disk', () => {
  it('stops no mail, is told of once in words, and tells in the exit code', async () => {
    const { cwd, env } = await place(3);
    const said = await startMailferry(['fetch'], { cwd, env, stdoutTo: await fullDisk() }).ended;
    expect(said.code).toBe(EXIT.person);
    expect(said.stderr.match(/^mailferry: .*$/gm)).toEqual([
      'mailferry: stdout cannot be written: ENOSPC: no space left on device, write. What is said there is lost; all else goes on.',
    ]);
    expect(said.stderr).not.toMatch(/^\s+at /m);
    expect(await storedIn(cwd)).toBe(3);
  });

  it('ends no watch', async () => {
    const { cwd, env } = await place(3);
    const child = startMailferry(['watch', '--json'], { cwd, env, stdoutTo: await fullDisk() });
    let heard = '';
    child.process.stderr?.on('data', (piece: string) => {
      heard += piece;
    });
    await expect.poll(() => heard, { timeout: 30_000 }).toContain('ENOSPC');
    child.process.kill('SIGTERM');
    expect((await child.ended).code).toBe(EXIT.person);
    expect(await storedIn(cwd)).toBe(3);
  });

  it('is what events on stdout fail by', async () => {
    const { cwd, env } = await place(3, { events: { stdout: true } });
    const said = await startMailferry(['fetch'], { cwd, env, stdoutTo: await fullDisk() }).ended;
    expect(said.code).toBe(EXIT.person);
    expect(said.stderr).toContain('(E_EVENTS_FULL, events)');
    expect(said.stderr).not.toMatch(/^\s+at /m);
  });
});

it('SIGHUP, which a terminal sends that goes, ends a run in order', async () => {
  const { child } = await stalled(['fetch', '--json']);
  child.process.kill('SIGHUP');
  const said = await child.ended;
  expect(said.code).toBe(EXIT.interrupted);
  expect(reportsIn(said.stdout)[0]?.counts.stored).toBeGreaterThan(0);
});
