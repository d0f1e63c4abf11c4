/** The file and the stream against other processes: two at once, one killed, one out of room, a reader gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ndjsonFile, ndjsonStream } from '../../lib/events/ndjson.ts';
import { headerSummary, manyStored, messageStored } from './samples.ts';

const APPEND_EVENTS = fileURLToPath(new URL('appendEvents.ts', import.meta.url));

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'mailferry-events-'));
  file = join(folder, 'events.ndjson');
});
afterEach(() => fs.rm(folder, { recursive: true }));

/** Runs appendEvents.ts to its end; `onLine` sees each line that it prints. */
async function appendEvents(
  args: readonly string[],
  onLine: (line: string, kill: () => void) => void = () => {},
  shell = 'exec "$@"',
) {
  const child = spawn('/bin/sh', ['-c', shell, 'sh', process.execPath, APPEND_EVENTS, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => {
    printed.push(line);
    onLine(line, () => child.kill('SIGKILL'));
  });
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return { printed, code, signal };
}

async function read() {
  const lines = (await fs.readFile(file, 'utf8')).split('\n');
  const names = new Set<string>();
  const passedOver: string[] = [];
  for (const line of lines.slice(0, -1)) {
    try {
      names.add(JSON.parse(line).detail.uidl);
    } catch {
      passedOver.push(line);
    }
  }
  return { names, passedOver, unfinished: lines.at(-1) };
}

describe('processes that append to one file', () => {
  it('never mix their lines', async () => {
    const prefixes = ['a', 'b', 'c'];
    const ends = await Promise.all(prefixes.map((prefix) => appendEvents([file, prefix, '150'])));
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    const { names, passedOver, unfinished } = await read();
    expect(names).toEqual(new Set(ends.flatMap(({ printed }) => printed)));
    expect(names.size).toBe(450);
    // Empty lines are where two of them met.
    expect(passedOver.filter((line) => line !== '')).toEqual([]);
    expect(unfinished).toBe('');
  });

  it('may be killed at any moment: what they had accepted is there, and the next one appends whole lines', async () => {
    const all: string[] = [];
    for (const after of [1, 7, 40]) {
      const { printed, signal } = await appendEvents([file, `${after}-`, '100000'], (line, kill) => {
        if (line === `${after}-${after}`) kill();
      });
      expect(signal).toBe('SIGKILL');
      all.push(...printed);
    }
    await ndjsonFile(file).publish([messageStored('after')]);
    const { names, unfinished } = await read();
    expect([...all, 'after'].filter((name) => !names.has(name))).toEqual([]);
    expect(unfinished).toBe('');
  });

  it('run out of room in the middle of a line: nothing torn was accepted, and nothing is lost later', async () => {
    // The limit is a real one, of 512-byte blocks: the kernel cuts the write that crosses it, and refuses the next.
    const shell = 'trap "" XFSZ; ulimit -f 21; exec "$@"';
    const { printed, code } = await appendEvents([file, 'm', '50'], undefined, shell);
    expect(code).toBe(1);
    const error = JSON.parse(printed.pop() ?? '');
    expect(error).toMatchObject({
      kind: 'person',
      code: 'E_EVENTS_FULL',
      message: expect.stringContaining('make room'),
    });
    expect((await read()).unfinished).not.toBe('');
    expect(printed.length).toBeGreaterThan(0);

    await ndjsonFile(file).publish(manyStored(50));
    const { names, passedOver, unfinished } = await read();
    expect(names).toEqual(new Set(Array.from({ length: 50 }, (_, index) => `m${index}`)));
    expect(passedOver).toHaveLength(1);
    expect(unfinished).toBe('');
  });
});

describe('a stream', () => {
  it('whose reader goes away is an error for a person, and does not end the process', async () => {
    const reader = spawn('/bin/sh', ['-c', 'read line'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const publisher = ndjsonStream(reader.stdin);
    await publisher.publish([messageStored('a')]);
    if (reader.exitCode === null) await once(reader, 'exit');
    const large = messageStored('b', headerSummary({ subject: 'x'.repeat(100_000) }));
    const gone = { kind: 'person', code: 'E_EVENTS_CLOSED', message: expect.stringContaining('has ended') };
    await expect(publisher.publish([large])).rejects.toMatchObject(gone);
    await expect(publisher.publish([large])).rejects.toMatchObject(gone);
    await expect(publisher.prove()).rejects.toMatchObject(gone);
  });

  it('that is slow makes publish wait with it', async () => {
    const release: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => void release.push(done),
    });
    const publisher = ndjsonStream(stream);
    const settled: string[] = [];
    const published = ['a', 'b'].map(async (name) => {
      await publisher.publish([messageStored(name)]);
      settled.push(name);
    });
    expect(release).toHaveLength(1);
    release.shift()?.();
    await published[0];
    expect(settled).toEqual(['a']);
    release.shift()?.();
    await published[1];
    expect(settled).toEqual(['a', 'b']);
  });
});
