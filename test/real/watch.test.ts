/** `mailferry watch` as a process of its own over Dovecot: mail that comes while it watches, and signals of both kinds. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import { nextBeginMs } from '../../lib/mailbox/due.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { type Child, startMailferry, workFolder } from '../bin/harness.ts';
import { type NearEnd, passwordOf, startMail } from './endsMail.ts';
import { needing } from './endsParts.ts';

const { missing, title } = needing('mailferry watch', 'dovecot');

/** Enough for a process to start and fetch a few messages; the minute after is as good, and slower. */
const SOON_MS = { least: 12_000, most: 18_000 };

/** A mailbox id whose next turn comes soon: its turns depend on nothing else. */
function idWithATurnSoon(): string {
  for (let nth = 0; ; nth += 1) {
    const id = `box-${nth}`;
    const inMs = nextBeginMs({ id, every: '1m', enabled: true }, Date.now()) - Date.now();
    if (inMs > SOON_MS.least && inMs < SOON_MS.most) return id;
  }
}

const letters = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, nth) =>
    Buffer.from(`Message-ID: <${prefix}${nth}@example.org>\r\nSubject: ${nth}\r\n\r\n${'x'.repeat(nth)}\r\n`),
  );

/** Of a line of events; a kill may have left part of one. */
function uidlOf(line: string): string[] {
  try {
    return [(JSON.parse(line) as { detail: { uidl: string } }).detail.uidl];
  } catch {
    return [];
  }
}

describe.skipIf(missing)(title, () => {
  let near: NearEnd;

  beforeAll(async () => {
    near = await startMail(2);
  });
  afterAll(() => near?.server.stop());

  async function settings(user: string, id: string, change: object) {
    const cwd = await workFolder();
    const { host, port, ca } = near.server;
    const mailbox = { id, host, port, ca, user, password: 'env:PASSWORD', every: '1m', ...change };
    await writeFile(
      join(cwd, 'mailferry.yaml'),
      JSON.stringify({ store: { folder: 'store' }, mailboxes: [mailbox] }),
    );
    const start = (): Child =>
      startMailferry(['watch', '--json'], { cwd, env: { PASSWORD: passwordOf(near.server, user) } });
    const stored = async () =>
      (await readdir(join(cwd, 'store', 'mail', id)).catch(() => [])).filter((name) => name.endsWith('.eml'));
    const expectExactly = async (oracle: ReadonlyMap<string, Buffer>) => {
      expect(await stored()).toHaveLength(oracle.size);
      for (const [uidl, bytes] of oracle)
        expect((await readFile(join(cwd, 'store', messageKey(id, uidl)))).equals(bytes)).toBe(true);
    };
    return { cwd, start, stored, expectExactly };
  }

  it('fetches what is there, and later what has come since, until SIGTERM', async () => {
    const id = idWithATurnSoon();
    const watched = await settings('u1', id, { delete: 'when-stored' });
    await near.server.put('u1', letters(20, 'first'));
    const oracle = new Map(await near.oracle('u1'));
    const child = watched.start();
    await expect.poll(() => near.server.list('u1'), { timeout: 60_000 }).toEqual([]);
    await near.server.put('u1', letters(3, 'later'));
    for (const [uidl, bytes] of await near.oracle('u1')) oracle.set(uidl, bytes);
    await expect.poll(() => near.server.list('u1'), { timeout: 90_000, interval: 200 }).toEqual([]);
    child.process.kill('SIGTERM');
    const { code, stdout, stderr } = await child.ended;
    expect(code, stderr).toBe(EXIT.done);
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunReport);
    expect(reports.map(({ counts }) => counts.stored)).toEqual([20, 3]);
    expect(reports.map(({ deletions }) => deletions.committed)).toEqual([20, 3]);
    await watched.expectExactly(oracle);
  });

  it('killed in the middle of a first import, goes on where it was, and stores nothing twice', async () => {
    const watched = await settings('u2', 'import', {});
    await near.server.put('u2', letters(120, 'import'));
    const oracle = await near.oracle('u2');
    const announced = async () =>
      (await readFile(join(watched.cwd, 'store', 'events.ndjson'), 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line.includes('"Message Stored"'))
        .flatMap(uidlOf);
    for (const enough of [5, 40]) {
      const child = watched.start();
      await expect
        .poll(async () => (await watched.stored()).length, { timeout: 60_000, interval: 5 })
        .toBeGreaterThan(enough);
      child.process.kill('SIGKILL');
      await child.ended;
    }
    // What the dead left behind is resolved one by one.
    const child = watched.start();
    await expect
      .poll(async () => new Set(await announced()), { timeout: 100_000, interval: 200 })
      .toEqual(new Set(oracle.keys()));
    child.process.kill('SIGTERM');
    expect((await child.ended).code).toBe(EXIT.done);
    await watched.expectExactly(oracle);
  });
});
