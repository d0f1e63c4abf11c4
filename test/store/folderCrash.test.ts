/** The folder store under kill -9: real processes, real files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderStore } from '../../lib/store/folder.ts';
import { contentOf } from './reading.ts';
import { messageOf } from './writing.ts';

const WORKER = fileURLToPath(new URL('./folderWorker.ts', import.meta.url));
const ROUNDS = 54;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailferry-crash-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

interface Worker {
  readonly child: ChildProcess;
  /** What it said so far. */
  readonly lines: string[];
  /** After its first line, or its end. */
  readonly atWork: Promise<unknown>;
  /** After its end, everything read. */
  readonly ended: Promise<unknown>;
}

function start(name: string, times: number): Worker {
  const child = spawn(process.execPath, [WORKER, folder, name, String(times)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('no pipe');
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  return {
    child,
    lines,
    atWork: Promise.race([once(reader, 'line'), once(reader, 'close')]),
    ended: once(reader, 'close'),
  };
}

async function counter(): Promise<number> {
  const text = await contentOf(folderStore(folder, { random: Math.random }), 'state/counter.json');
  return text === null ? 0 : Number(JSON.parse(String(text)).count);
}

describe('the folder store of two processes', () => {
  it(`loses and breaks nothing through ${2 * ROUNDS} kills at random instants`, {
    timeout: 120_000,
  }, async () => {
    const acknowledged = new Set<string>();
    let counted = 0;
    let last = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const workers = ['a', 'b'].map((side) => start(`${side}${round}`, 1_000_000));
      await Promise.all(workers.map(({ atWork }) => atWork));
      for (const { child } of workers) {
        await sleep(Math.random() * 12);
        child.kill('SIGKILL');
      }
      await Promise.all(workers.map(({ ended }) => ended));
      const lines = workers.flatMap((worker) => worker.lines);
      counted += lines.filter((line) => line === 'counted').length;
      for (const line of lines)
        if (line.startsWith('stored ')) acknowledged.add(line.slice('stored '.length));

      const now = await counter();
      expect(now).toBeGreaterThanOrEqual(last + 1);
      // What was acknowledged counts; beyond it each killed process may have made one that it could not tell of.
      expect(now).toBeGreaterThanOrEqual(counted);
      expect(now).toBeLessThanOrEqual(counted + 2 * (round + 1));
      last = now;
    }
    const store = folderStore(folder, { random: Math.random });
    const seen = new Set<string>();
    for await (const { key } of store.list('mail/')) {
      seen.add(key);
      expect((await contentOf(store, key))?.equals(messageOf(key)), key).toBe(true);
    }
    expect([...acknowledged].filter((key) => !seen.has(key))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
    // Killed writers leave files behind, but each at most a few.
    expect((await readdir(join(folder, '.tmp'))).length).toBeLessThanOrEqual(4 * 2 * ROUNDS);
  });

  it('adds up the increments of both', { timeout: 60_000 }, async () => {
    const workers = ['a', 'b'].map((name) => start(name, 100));
    await Promise.all(workers.map(({ ended }) => ended));
    for (const { lines } of workers) expect(lines.filter((line) => line === 'counted')).toHaveLength(100);
    expect(await counter()).toBe(200);
  });
});
